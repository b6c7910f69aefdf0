"""``authserver keys``: what signs, what is published, and rotation."""

import time
from typing import Any

import click

from ..keys.ports import StoredKey
from ..services.deployment import Deployment
from .deployment import with_deployment
from .table import as_objects, show

HEADS = ("algorithm", "for", "kid", "state")
TOLD = ("kid", "alg", "purpose", "signs_from", "signs_until", "published_until")


@click.group()
def keys() -> None:
    """Signing keys."""


@keys.command("list")
@as_objects
@with_deployment
def list_keys(found: Deployment, as_json: bool) -> None:
    """Show every key pair: its algorithm, its name, and what it does now."""
    show(found.stores.keys.all(), HEADS, _row, _facts, as_json=as_json)


@keys.command("rotate")
@click.option("--emergency", is_flag=True, help="A key is in wrong hands: withdraw all at once, sign with new ones.")
@with_deployment
def rotate(found: Deployment, emergency: bool) -> None:
    """Let the published standby keys sign and retire what signed, on all nodes, without a restart."""
    if emergency:
        withdrawn, made = found.rotation.replace_all()
        click.echo(f"withdrew {withdrawn} keys and all that they signed; clients refresh, nobody has to sign in again")
        for kid in made:
            click.echo(f"{kid} is published")
        return
    for kid in found.rotation.rotate():
        click.echo(f"{kid} signs from now on, or as soon as it has been published long enough")


@keys.command("withdraw")
@click.argument("kid")
@with_deployment
def withdraw(found: Deployment, kid: str) -> None:
    """One key is in wrong hands: withdraw it with all that it signed; the others go on, its standby signs."""
    if not found.rotation.withdraw(kid):
        raise click.ClickException(
            "none was withdrawn: it is not there, was before, or moved in this moment: 'authserver keys list'"
        )
    click.echo(f"withdrew {kid} and all that it signed; clients refresh, nobody has to sign in again")


def _row(key: StoredKey) -> tuple[str, ...]:
    return key.alg, key.purpose, key.kid, _state(key)


def _facts(key: StoredKey) -> dict[str, Any]:
    return {**{name: getattr(key, name) for name in TOLD}, "state": _state(key)}


def _state(key: StoredKey) -> str:
    return state(key.signs_from, key.signs_until, key.published_until, int(time.time()))


def state(signs_from: int | None, signs_until: int | None, published_until: int | None, now: int) -> str:
    """What a key with this schedule does at *now* (Unix seconds), in words."""
    if published_until is not None and published_until <= now:
        return "withdrawn"
    if signs_until is not None and signs_until <= now:
        return f"retired, published for {published_until - now if published_until else 0} s more"
    if signs_from is None:
        return "standby, published"
    return "signing" if signs_from <= now else f"published, signs in {signs_from - now} s"
