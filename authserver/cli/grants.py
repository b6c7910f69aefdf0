"""``authserver grant``: ending what people allowed, all that fits at once."""

import click

from ..protocol.audit import Event
from ..services.deployment import Deployment
from ..store.grants import BATCH, Whose
from .clients import existing
from .deployment import with_deployment
from .person import person
from .resources import registered


@click.group()
def grant() -> None:
    """What people allowed clients to do."""


@grant.command("revoke")
@click.option("--user", "username", help="Those of this person.")
@click.option("--client", "client_id", help="Those to this client.")
@click.option("--server", "identifier", help="Those at this MCP server.")
@click.option("--all", "everything", is_flag=True, help="Every grant there is.")
@with_deployment
def revoke(
    found: Deployment, username: str | None, client_id: str | None, identifier: str | None, everything: bool
) -> None:
    """End grants, with refresh tokens and remembered consents; options together mean those that fit all of them.

    Works in batches and can be stopped: what has ended stays so, and the same command goes on.
    """
    if everything == any((username, client_id, identifier)):
        raise click.UsageError("say whose grants: --user, --client, --server, or --all alone")
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
