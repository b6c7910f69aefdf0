"""Signing keys at rest."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import update

from authserver.keys.ports import KeyStore, NewKey, Purpose
from authserver.store.keys import StoredKey
from authserver.store.models import SigningKeyRow
from authserver.store.stores import Stores
from tests.purging import purge

from .scene import EVENT

JWK = {"kty": "EC", "crv": "P-256", "x": "eA", "y": "eQ"}

pytestmark = pytest.mark.requirement("TK-12")


def add(store: KeyStore, kid: str, signs_from: int | None) -> None:
    store.add(new(kid, signs_from), EVENT)


def new(kid: str, signs_from: int | None) -> NewKey:
    return NewKey(kid, "ES256", Purpose.TOKENS, JWK, b"sealed", signs_from)


def schedule(stores: Stores) -> dict[str, tuple[int | None, int | None, int | None]]:
    return {key.kid: (key.signs_from, key.signs_until, key.published_until) for key in stores.keys.all()}


def test_a_key_comes_back_as_it_was_saved(stores: Stores):
    add(stores.keys, "first", 100)
    [key] = stores.keys.all()
    assert key == StoredKey("first", "ES256", "tokens", JWK, b"sealed", key.created_at, 100, None, None)


def test_a_rotation_is_one_change(stores: Stores):
    add(stores.keys, "first", 100)
    add(stores.keys, "standby", None)
    stores.keys.rotate(retired="first", promoted="standby", at=500, published_until=1100, event=EVENT)
    assert schedule(stores) == {"first": (100, 500, 1100), "standby": (500, None, None)}


def test_what_somebody_else_has_rotated_or_withdrawn_is_left_as_it_is(stores: Stores):
    for kid, signs_from in (("first", 100), ("standby", None), ("next", None)):
        add(stores.keys, kid, signs_from)
    assert stores.keys.withdraw(["first"], EVENT) == 1
    before = schedule(stores)
    assert before["first"] == (100, 0, 0)
    late: dict[str, Any] = {"at": 500, "published_until": 1100, "event": EVENT}
    assert not stores.keys.rotate(retired="first", promoted="standby", **late)
    assert schedule(stores) == before
    assert stores.keys.rotate(retired=None, promoted="standby", **late)
    assert not stores.keys.rotate(retired=None, promoted="standby", **late)
    assert schedule(stores) == {**before, "standby": (500, None, None)}


def test_nothing_is_withdrawn_if_what_shall_sign_instead_has_ended(stores: Stores):
    for kid, signs_from in (("first", 100), ("standby", None)):
        add(stores.keys, kid, signs_from)
    assert stores.keys.withdraw(["standby"], EVENT) == 1
    before = schedule(stores)
    assert stores.keys.withdraw(["first"], EVENT, promoted="standby", at=500) == 0
    assert schedule(stores) == before


def test_the_first_key_replaces_none(stores: Stores):
    add(stores.keys, "first", None)
    stores.keys.rotate(retired=None, promoted="first", at=500, published_until=1100, event=EVENT)
    assert schedule(stores) == {"first": (500, None, None)}


def test_every_change_of_keys_begins_a_new_epoch(stores: Stores):
    seen = [stores.epoch.current()]
    add(stores.keys, "first", None)
    seen.append(stores.epoch.current())
    stores.keys.rotate(retired=None, promoted="first", at=500, published_until=1100, event=EVENT)
    seen.append(stores.epoch.current())
    assert seen == sorted(set(seen))


def test_of_many_who_fill_a_place_at_once_one_does(stores: Stores):
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda kid: stores.keys.fill(new(kid, None), EVENT), "abcd"))
    assert sorted(done) == [False, False, False, True]
    assert stores.keys.fill(new("signs", 100), EVENT)
    assert not stores.keys.fill(new("too", 200), EVENT)
    assert len(stores.keys.all()) == 2


def test_keys_are_forgotten_long_after_they_are_of_use_but_for_those_of_the_audit_trail(stores: Stores):
    long_ago = int(time.time()) - 91 * 86_400
    for kid, purpose in (("expired", "tokens"), ("lists", "status"), ("trail", "audit"), ("late", "tokens")):
        add(stores.keys, kid, 100)
        until = long_ago if kid != "late" else int(time.time()) - 86_400
        ended = {"purpose": purpose, "signs_until": 200, "published_until": until}
        with stores.database.transaction() as connection:
            connection.execute(update(SigningKeyRow).where(SigningKeyRow.kid == kid).values(ended))
    add(stores.keys, "withdrawn", 100)
    assert stores.keys.withdraw(["withdrawn"], EVENT) == 1
    add(stores.keys, "signing", 100)
    assert purge(stores.database)["signing_keys"] == 2
    assert {key.kid for key in stores.keys.all()} == {"trail", "late", "withdrawn", "signing"}
