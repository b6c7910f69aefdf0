"""``authserver grant``: what people allowed, and its end: of one grant, or of all that fit."""

from dataclasses import asdict
from functools import partial

import click

from ..protocol.audit import Event
from ..services.deployment import Deployment
from ..store.grant_search import GrantFilter
from ..store.grants import GrantListing, Whose
from ..store.paging import filled
from .clients import existing
from .deployment import with_deployment
from .elsewhere import Elsewhere
from .endings import revoke_in_batches
from .person import person
from .resources import registered
from .table import as_objects, show

HEADS = ("id", "person", "client", "server", "scopes", "state")
ELSEWHERE = {
    "families": "families.families",
    "revoke-family": "families.revoke_family",
    "whose": "whose.whose",
}


@click.group(commands=Elsewhere(ELSEWHERE))
def grant() -> None:
    """What people allowed clients to do."""


@grant.command("list")
@click.option("--search", default="", help="Part of the name of a person, a client or an MCP server, or a client's id.")
@click.option("--user", "username", help="Those of this person.")
@click.option("--client", "client_id", help="Those to this client.")
@click.option("--server", "resource", help="Those at this MCP server.")
@click.option("--scope", help="Those that have this scope.")
@click.option("--live", is_flag=True, help="Only those that have not ended.")
@click.option("--limit", default=50, show_default=True, help="How many at the most, newest first.")
@as_objects
@with_deployment
def list_grants(
    found: Deployment, /, search: str, username: str | None, limit: int, as_json: bool, live: bool, **wanted: str | None
) -> None:
    """Show grants that fit all options, ended ones too, newest first. --search stands alone."""
    chosen = GrantFilter(user_id=person(found, username).id if username else None, live=live, **wanted)
    if search and chosen != GrantFilter():
        raise click.UsageError("--search stands alone: name the person, client or server by the other options")
    page = (
        found.stores.grants.page(search, None, limit)
        if search
        else filled(partial(found.stores.grant_search.page, chosen), limit)
    )
    show(page, HEADS, _row, asdict, as_json=as_json)


def _row(line: GrantListing) -> tuple[str, ...]:
    return (
        line.id,
        line.username,
        line.client_name,
        line.resource,
        " ".join(line.scopes),
        "expired" if line.ran_out else "revoked" if line.revoked_at else "live",
    )


@grant.command("revoke")
@click.argument("grant_id", required=False)
@click.option("--user", "username", help="Those of this person.")
@click.option("--client", "client_id", help="Those to this client.")
@click.option("--server", "identifier", help="Those at this MCP server.")
@click.option("--all", "everything", is_flag=True, help="Every grant there is.")
@with_deployment
def revoke(
    found: Deployment,
    grant_id: str | None,
    username: str | None,
    client_id: str | None,
    identifier: str | None,
    everything: bool,
) -> None:
    """End grants, with refresh tokens and remembered consents: the one of that id, or all that fit all options.

    Works in batches and can be stopped: what has ended stays so, and the same command goes on.
    """
    if sum((everything, grant_id is not None, any((username, client_id, identifier)))) != 1:
        raise click.UsageError("say which grants: the id of one, or --user, --client, --server, or --all alone")
    if grant_id is not None:
        if not found.stores.grants.revoke(grant_id, Event("grant.revoked", "system")):
            raise click.ClickException(f"there is no live grant {grant_id!r}")
        click.echo("revoked 1")
        return
    whose = Whose(
        user_id=person(found, username).id if username else None,
        client_id=existing(found, client_id).client_id if client_id else None,
        resource=registered(found, identifier).identifier if identifier else None,
    )
    revoke_in_batches(found, whose)
