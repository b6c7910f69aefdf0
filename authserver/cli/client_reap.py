"""``authserver client reap``: registrations that nobody uses."""

import time

import click

from ..services.deployment import Deployment
from ..store.reaping import Due
from .deployment import with_deployment
from .plain import plain


@click.command("reap")
@click.option("--dry-run", is_flag=True, help="Only show what would go.")
@click.option("--limit", default=1000, show_default=True, help="How many of each kind --dry-run shows at the most.")
@with_deployment
def reap(found: Deployment, dry_run: bool, limit: int) -> None:
    """Delete registrations that were never used, and end those that were not used for long, as the settings say."""
    if dry_run:
        unused, idle = found.reaper.due(limit)
        _show(unused, "never used, registered")
        _show(idle, "last used")
        click.echo(f"would go: {_several(unused, limit)} unused, {_several(idle, limit)} idle")
    else:
        click.echo("deleted {} unused, ended {} idle".format(*found.reaper.reap()))


def _show(due: tuple[Due, ...], words: str) -> None:
    for one in due:
        click.echo(
            f"{one.client_id}  {words} {time.strftime('%Y-%m-%d %H:%M', time.gmtime(one.since))}  {plain(one.name)}"
        )


def _several(due: tuple[Due, ...], limit: int) -> str:
    return f"{len(due)}" if len(due) < limit else f"{limit} or more"
