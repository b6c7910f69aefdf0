"""``authserver grant families`` and ``revoke-family``: the refresh families that hang on a grant."""

import time
from dataclasses import asdict

import click

from ..protocol.audit import Event
from ..services.deployment import Deployment
from ..store.grant_search import Family
from .deployment import with_deployment
from .table import as_objects, show

HEADS = ("family", "began", "last used", "ends", "state", "scopes")


@click.command("families")
@click.argument("grant_id", metavar="ID")
@as_objects
@with_deployment
def families(found: Deployment, grant_id: str, as_json: bool) -> None:
    """Show the newest refresh families of a grant, newest first; each began with a code of its own."""
    if found.stores.grants.find(grant_id) is None:
        raise click.ClickException(f"there is no grant {grant_id!r}: 'authserver grant list' shows what there is")
    show(found.stores.grant_search.families(grant_id), HEADS, _row, asdict, as_json=as_json)


@click.command("revoke-family")
@click.argument("family_id", metavar="ID")
@with_deployment
def revoke_family(found: Deployment, family_id: str) -> None:
    """End one refresh family with its tokens, as 'grant families' or 'grant whose' names it; the grant stays."""
    one = found.stores.grant_search.family(family_id)
    if one is None:
        raise click.ClickException(f"there is no family {family_id!r}: 'authserver grant families' shows them")
    event = Event("family.revoked", "system", grant_id=one.grant_id)
    ended = found.stores.refresh_tokens.revoke_family(one.id, event)
    click.echo("revoked 1" if ended else "nothing to do")


def _row(line: Family) -> tuple[str, ...]:
    times = [_moment(at) if at else "" for at in (line.created_at, line.last_used_at, line.expires_at)]
    return (line.id, *times, _state(line), " ".join(line.scopes))


def _state(line: Family) -> str:
    if line.revoked_at is not None:
        return "revoked"
    return "live" if line.expires_at > time.time() else "expired"


def _moment(seconds: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(seconds))
