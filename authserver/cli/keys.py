"""``authserver keys``: what signs, what is published, and rotation."""

import time
from datetime import UTC, datetime
from functools import partial
from typing import Any

import click

from ..keys.life import State, rotates_at, state
from ..keys.ports import StoredKey
from ..protocol.audit import Event
from ..services.deployment import Deployment
from .deployment import with_deployment
from .table import as_objects, show

SECONDS_TO_NOTICE = 2.0  # in which every node has learnt of a new root secret
HEADS = ("algorithm", "for", "kid", "state", "next rotation")
TOLD = ("kid", "alg", "purpose", "signs_from", "signs_until", "published_until")


@click.group()
def keys() -> None:
    """Signing keys."""


@keys.command("list")
@as_objects
@with_deployment
def list_keys(found: Deployment, as_json: bool) -> None:
    """Show every key pair: its algorithm, its name, and what it does now."""
    every = found.rotation.every
    show(found.stores.keys.all(), HEADS, partial(_row, every=every), partial(_facts, every=every), as_json=as_json)


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


@keys.command("reencrypt")
@click.option("--new-root", is_flag=True, help="The key and the database leaked: seal and derive anew from now on.")
@with_deployment
def reencrypt(found: Deployment, new_root: bool) -> None:
    """Encrypt all under the key-encryption key of the settings: the previous one is not needed any more then."""
    if new_root:
        number = found.roots.renew(Event("root_secret.made", "system"))
        click.echo(f"root secret {number} seals and derives from now on")
        time.sleep(SECONDS_TO_NOTICE)  # what other nodes seal meanwhile, they seal under the one that leaked
        count = found.rotation.reseal() + found.second_factors.codes.reseal()
        click.echo(f"sealed {count} secrets anew; now run 'authserver keys rotate --emergency'")
    count = found.roots.rewrap(Event("root_secret.wrapped", "system"))
    click.echo(f"wrapped {count} root secret{'' if count == 1 else 's'} with '{found.roots.kek}'")


def _row(key: StoredKey, *, every: int) -> tuple[str, ...]:
    at = rotates_at(key, every)
    due = "" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return key.alg, key.purpose, key.kid, _state(key), due


def _facts(key: StoredKey, *, every: int) -> dict[str, Any]:
    told = {name: getattr(key, name) for name in TOLD}
    return {**told, "state": _state(key), "rotates_at": rotates_at(key, every)}


def _state(key: StoredKey) -> str:
    """What *key* does now, in words."""
    now = int(time.time())
    found = state(key, now)
    if found is State.RETIRED:
        more = (key.published_until or 0) - now
        return f"retired, published for {more} s more" if more > 0 else "retired, seals are verified by it"
    if found is State.STANDBY:
        return "standby, published" if key.signs_from is None else f"published, signs in {key.signs_from - now} s"
    return found
