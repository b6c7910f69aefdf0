"""``authserver client``: the clients that have registered."""

import json
import time
from typing import Any

import click

from ..protocol.audit import Event
from ..protocol.client import Client
from ..services.deployment import Deployment
from ..services.mass_revocation import few_left
from ..store.client_listing import ClientListing
from ..store.grants import Whose
from .deployment import with_deployment
from .elsewhere import Elsewhere
from .plain import plain
from .table import as_object, as_objects, facts_of, show

SECONDS = 5.0  # after which it tells that it goes on
HEADS = ("client_id", "kind", "state", "grants", "name")
TOLD = (
    "client_id", "name", "kind", "pending", "suspended", "declared", "created_at", "redirect_uris", "grant_types",
    "auth_method", "jwks_uri",
)  # fmt: skip
ELSEWHERE = {
    "add": "client_add.add",
    "allow": "client_allow.allow",
    "rotate-secret": "client_secret.rotate_secret",
    "approve": "client_approval.approve",
    "refuse": "client_approval.refuse",
    "reap": "client_reap.reap",
    "alike": "client_alike.alike",
    "alike-delete": "client_alike.delete_alike",
    "history": "client_history.history",
}


@click.group(commands=Elsewhere(ELSEWHERE))
def client() -> None:
    """Clients."""


@client.command("list")
@click.option("--search", default="", help="Part of a name or of a client id.")
@click.option("--limit", default=50, show_default=True, help="How many at the most, newest first.")
@click.option("--pending", is_flag=True, help="Only those that wait for approval.")
@click.option("--changed", is_flag=True, help="Only those whose changed document waits.")
@as_objects
@with_deployment
def list_clients(found: Deployment, search: str, limit: int, pending: bool, changed: bool, as_json: bool) -> None:
    """Show clients, newest first."""
    page = found.stores.clients.page(search, None, limit, waiting=pending, held=changed)
    show(page, HEADS, _row, _facts, as_json=as_json)


@client.command("show")
@click.argument("client_id")
@as_object
@with_deployment
def show_client(found: Deployment, client_id: str, as_json: bool) -> None:
    """Show all that is known of a client, but its credentials."""
    one = existing(found, client_id)
    if as_json:
        click.echo(json.dumps(_known(found, one)))
        return
    told = {
        "client_id": one.client_id,
        "name": one.name,
        "kind": one.kind,
        "state": _state(one),
        "kept by": "a file" if one.declared else "",
        "registered": _moment(one.created_at),
        "last used": _moment(found.stores.clients.last_used(client_id)),
        "redirect URIs": " ".join(one.redirect_uris),
        "authentication": one.auth_method,
        "keys": one.jwks_uri or (f"{len(one.jwks.get('keys', ()))} by value" if one.jwks else ""),
        "grants": " ".join(one.grant_types),
        **{f"may get at {resource}": " ".join(scopes) for resource, scopes in one.ceilings.items()},
        **{name: str(value) for name, value in one.metadata.items()},
    }
    facts_of(told)


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
    one, whose = existing(found, client_id), Whose(client_id=client_id)
    while not few_left(found.stores.grants, whose, Event("grants.revoked", "system"), SECONDS)[1]:
        click.echo("it has very many grants: they end in batches, and what has ended stays so")
    found.stores.clients.delete(client_id, Event("client.deleted", "system", detail={"name": one.name}))
    click.echo(f"removed {plain(one.name)}")


def _row(line: ClientListing) -> tuple[str, ...]:
    one = line.client
    return one.client_id, one.kind, _state(one), line.counted, one.name


def _facts(line: ClientListing) -> dict[str, Any]:
    return {
        "client_id": line.client.client_id,
        "name": line.client.name,
        "kind": line.client.kind,
        "pending": line.client.pending,
        "grants": line.live_grants,
        "last_used_at": line.last_used_at,
        "redirect_uris": list(line.client.redirect_uris),
    }


def _known(found: Deployment, one: Client) -> dict[str, Any]:
    """What programs are told of one client."""
    return {
        **{name: getattr(one, name) for name in TOLD},
        "keys": one.jwks,
        "last_used_at": found.stores.clients.last_used(one.client_id),
        "metadata": one.metadata,
        "ceilings": {resource: list(scopes) for resource, scopes in one.ceilings.items()},
    }


def _state(one: Client) -> str:
    return "suspended" if one.suspended else "waits for approval" if one.pending else "active"


def _moment(seconds: int | None) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds)) if seconds else ""


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
