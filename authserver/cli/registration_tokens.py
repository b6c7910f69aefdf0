"""``authserver registration-token``: who has one may register clients, where ``registration`` is ``token``."""

import time
from typing import Any

import click

from ..protocol import credential
from ..protocol.audit import Event
from ..services.deployment import Deployment
from ..store.initial_access_tokens import InitialAccessToken
from .deployment import with_deployment
from .table import as_objects, show

HEADS = ("id", "state", "uses left", "until", "label")


@click.group("registration-token")
def registration_token() -> None:
    """Initial access tokens, for registration = "token" (RFC 7591)."""


@registration_token.command("add")
@click.argument("label")
@click.option(
    "--uses", type=click.IntRange(1, 1_000_000), help="How many clients may register with it; any if left out."
)
@click.option(
    "--expires", type=click.IntRange(1, 10 * 365 * 86_400), help="Seconds that it lives; forever if left out."
)
@with_deployment
def add(found: Deployment, label: str, uses: int | None, expires: int | None) -> None:
    """Make a token and show it, once."""
    if not label.isprintable() or not 0 < len(label) <= 200:
        raise click.ClickException("a label has 1 to 200 printable characters")
    token = credential.mint(credential.Prefix.INITIAL_ACCESS)
    tokens = found.stores.initial_access_tokens
    tokens.add(credential.digest(token), label, uses, expires, Event("registration_token.added", "system"))
    click.echo(token)


@registration_token.command("list")
@as_objects
@with_deployment
def list_tokens(found: Deployment, as_json: bool) -> None:
    """Show every token, without its secret."""
    show(found.stores.initial_access_tokens.all(), HEADS, _row, _facts, as_json=as_json)


@registration_token.command("revoke")
@click.argument("token_id")
@with_deployment
def revoke(found: Deployment, token_id: str) -> None:
    """End a token, by the id that the list shows. Clients that registered with it stay."""
    if not found.stores.initial_access_tokens.revoke(token_id, Event("registration_token.revoked", "system")):
        raise click.ClickException("there is no such token that lives: 'authserver registration-token list' shows all")
    click.echo("revoked")


def _row(token: InitialAccessToken) -> tuple[str, ...]:
    return token.id, _state(token), _uses(token), _until(token), token.label


def _facts(token: InitialAccessToken) -> dict[str, Any]:
    return {"id": token.id, "state": _state(token), "uses_left": token.uses_left, "expires_at": token.expires_at,
            "label": token.label}  # fmt: skip


def _state(token: InitialAccessToken) -> str:
    if token.revoked_at is not None:
        return "revoked"
    return "expired" if token.expired else "good" if token.is_good else "used up"


def _uses(token: InitialAccessToken) -> str:
    return "any" if token.uses_left is None else str(token.uses_left)


def _until(token: InitialAccessToken) -> str:
    if token.expires_at is None:
        return "forever"
    return f"{time.strftime('%Y-%m-%d %H:%M', time.gmtime(token.expires_at))}"
