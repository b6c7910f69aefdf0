"""Signing keys at rest."""

from typing import Any

import pytest

from authserver.keys.ports import KeyStore
from authserver.store.keys import StoredKey
from authserver.store.stores import Stores

from .scene import EVENT

JWK = {"kty": "EC", "crv": "P-256", "x": "eA", "y": "eQ"}

pytestmark = pytest.mark.requirement("TK-12")


def add(store: KeyStore, kid: str, signs_from: int | None) -> None:
    store.add(kid=kid, alg="ES256", public_jwk=JWK, sealed_private=b"sealed", signs_from=signs_from, event=EVENT)


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
