"""``authserver grant``: what people allowed, and its end: of one grant, or of all that fit."""

import json
from dataclasses import asdict

import click

from ..protocol.audit import Event
from ..services.deployment import Deployment
from ..store.grants import BATCH, Whose
from .clients import existing
from .deployment import with_deployment
from .person import person
from .plain import plain
from .resources import registered


@click.group()
def grant() -> None:
    """What people allowed clients to do."""


@grant.command("list")
@click.option("--search", default="", help="Part of the name of a person, a client or an MCP server, or a client's id.")
@click.option("--limit", default=50, show_default=True, help="How many at the most, newest first.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@with_deployment
def list_grants(found: Deployment, search: str, limit: int, as_json: bool) -> None:
    """Show grants, ended ones too, newest first."""
    for line in found.stores.grants.page(search, None, limit):
        if as_json:
            click.echo(json.dumps(asdict(line)))
        else:
            ended = "  (revoked)" if line.revoked_at else ""
            through = f"{plain(line.username):24} {plain(line.client_name)}  {line.resource}"
            click.echo(f"{line.id}  {through}  {' '.join(line.scopes)}{ended}")


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
    total, ended = 0, BATCH
    while ended == BATCH:
        ended = found.stores.grants.revoke_all(whose, Event("grants.revoked", "system"))
        total += ended
        click.echo(f"revoked {total}")
