"""``authserver client alike`` and ``alike-delete``: registrations of the same name that send to the same hosts."""

import time

import click

from ..protocol.audit import Event
from ..protocol.credential import base64url, from_base64url
from ..services.deployment import Deployment
from ..store.reaping import Alike
from .deployment import with_deployment
from .table import as_objects, show

HEADS = ("group", "unused", "oldest", "newest", "one of them", "name")
SECONDS = 2.0  # after which it is told how far it came
MOST_COUNTED = 10_000


@click.command("alike")
@click.option("--limit", default=50, show_default=True, help="How many groups at the most, the largest first.")
@as_objects
@with_deployment
def alike(found: Deployment, limit: int, as_json: bool) -> None:
    """Show groups of registrations that nobody used and that are the same to people."""
    show(found.stores.registrations.alike(limit), HEADS, _row, _facts, as_json=as_json)


@click.command("alike-delete")
@click.argument("group")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_deployment
def delete_alike(found: Deployment, group: str, yes: bool) -> None:
    """Delete what nobody used of GROUP, as 'client alike' names it, but what is younger than an hour.

    Works in batches and can be stopped: what is deleted stays so, and the same command goes on.
    """
    likeness = _likeness(group)
    number = found.reaper.count_alike(likeness, MOST_COUNTED)
    if not number:
        click.echo("nothing to do")
        return
    if not yes:
        more = " or more" if number == MOST_COUNTED else ""
        click.confirm(f"Delete {number}{more} registrations that nobody used?", abort=True)
    total = 0
    while found.reaper.count_alike(likeness, 1):
        gone = found.reaper.delete_alike(likeness, Event("clients.deleted", "system"), SECONDS)
        total += gone
        click.echo(f"deleted {total}")
        if not gone:  # what is left is in another's hands just now
            return


def _likeness(group: str) -> bytes:
    found = from_base64url(group)
    if not found:
        raise click.BadParameter("not a group as 'authserver client alike' names them", param_hint="GROUP")
    return found


def _facts(line: Alike) -> dict[str, object]:
    return {
        "group": base64url(line.likeness),
        "unused": line.unused,
        "oldest": line.oldest,
        "newest": line.newest,
        "client_id": line.client_id,
        "name": line.name,
        "redirect_uris": list(line.redirect_uris),
    }


def _row(line: Alike) -> tuple[str, ...]:
    times = [time.strftime("%Y-%m-%d %H:%M", time.gmtime(at)) for at in (line.oldest, line.newest)]
    return (base64url(line.likeness), str(line.unused), *times, line.client_id, line.name)
