"""``authserver client``: the clients that have registered."""

import json
import time

import click

from ..protocol.audit import Event
from ..protocol.client import Client
from ..services.deployment import Deployment
from .deployment import with_deployment
from .plain import plain


@click.group()
def client() -> None:
    """Clients."""


@client.command("list")
@click.option("--search", default="", help="Part of a name or of a client id.")
@click.option("--limit", default=50, show_default=True, help="How many at the most, newest first.")
@click.option("--pending", is_flag=True, help="Only those that wait for approval.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@with_deployment
def list_clients(found: Deployment, search: str, limit: int, pending: bool, as_json: bool) -> None:
    """Show clients, newest first."""
    for row in found.stores.clients.page(search, None, limit, waiting=pending):
        shown = {
            "client_id": row.client.client_id,
            "name": row.client.name,
            "kind": str(row.client.kind),
            "pending": row.client.pending,
            "grants": row.live_grants,
            "redirect_uris": list(row.client.redirect_uris),
        }
        if as_json:
            click.echo(json.dumps(shown))
        else:
            waits = "  (waits for approval)" if row.client.pending else ""
            known_as = f"{shown['client_id']}  {shown['kind']:12} {shown['grants']:5} grants  {plain(row.client.name)}"
            click.echo(known_as + waits)


@client.command("show")
@click.argument("client_id")
@with_deployment
def show(found: Deployment, client_id: str) -> None:
    """Show all that is known of a client, but its credentials."""
    one = existing(found, client_id)
    shown = {
        "client_id": one.client_id,
        "name": one.name,
        "kind": one.kind,
        "state": "suspended" if one.suspended else "waits for approval" if one.pending else "active",
        "kept by": "a file" if one.declared else "",
        "registered": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(one.created_at)),
        "redirect URIs": " ".join(one.redirect_uris),
        "authentication": one.auth_method,
        "keys": one.jwks_uri or (f"{len(one.jwks.get('keys', ()))} by value" if one.jwks else ""),
        "grants": " ".join(one.grant_types),
        **{f"may get at {resource}": " ".join(scopes) for resource, scopes in one.ceilings.items()},
        **{name: str(value) for name, value in one.metadata.items()},
    }
    for name, value in shown.items():
        if value:
            click.echo(f"{plain(name)}: {plain(value)}")


@client.command("suspend")
@click.argument("client_id")
@with_deployment
def suspend(found: Deployment, client_id: str) -> None:
    """Let a client do nothing until it is resumed; its grants stay."""
    _set_suspended(found, client_id, suspended=True)


@client.command("resume")
@click.argument("client_id")
@with_deployment
def resume(found: Deployment, client_id: str) -> None:
    """Let a suspended client act again."""
    _set_suspended(found, client_id, suspended=False)


@client.command("remove")
@click.argument("client_id")
@with_deployment
def remove(found: Deployment, client_id: str) -> None:
    """End a client: its grants and tokens end with it."""
    one = existing(found, client_id)
    found.stores.clients.delete(client_id, Event("client.deleted", "system", detail={"name": one.name}))
    click.echo(f"removed {plain(one.name)}")


def _set_suspended(found: Deployment, client_id: str, *, suspended: bool) -> None:
    one = existing(found, client_id)
    event = Event("client.suspended" if suspended else "client.resumed", "system", client_id=client_id)
    found.stores.clients.set_suspended(client_id, suspended, event)
    click.echo(f"{'suspended' if suspended else 'resumed'} {plain(one.name)}")


def existing(found: Deployment, client_id: str) -> Client:
    """The client of that id, or a message that there is none."""
    one = found.stores.clients.find_fresh(client_id)
    if one is None:
        raise click.ClickException(f"there is no client {client_id!r}: 'authserver client list' shows what there is")
    return one
