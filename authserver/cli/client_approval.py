"""``authserver client approve`` and ``refuse``: for clients that wait."""

import click

from ..protocol.audit import Event
from ..protocol.client import Client
from ..services.deployment import Deployment
from .deployment import with_deployment
from .plain import plain


@click.command("approve")
@click.argument("client_id")
@with_deployment
def approve(found: Deployment, client_id: str) -> None:
    """Let a client act that waits for approval, and show what was approved."""
    waiting = _waiting(found, client_id)
    if not found.stores.clients.approve(client_id, waiting.identity, Event("client.approved", "system")):
        raise click.ClickException("it changed just now: look at it again")
    click.echo(f"approved {plain(waiting.name)}, which sends people to: {' '.join(waiting.redirect_uris)}")


@click.command("refuse")
@click.argument("client_id")
@with_deployment
def refuse(found: Deployment, client_id: str) -> None:
    """Refuse a client that waits for approval."""
    waiting = _waiting(found, client_id)
    found.stores.clients.refuse(client_id, Event("client.refused", "system"))
    click.echo(f"refused {plain(waiting.name)}")


def _waiting(found: Deployment, client_id: str) -> Client:
    known = found.stores.clients.find_fresh(client_id)
    if known is None or not known.pending:
        raise click.ClickException("no such client waits: 'authserver client list --pending' shows those that do")
    return known
