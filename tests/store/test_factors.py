"""Factors, recovery codes, halves of sign-ins: each proof counts once, of however many who bring it at one instant."""

import pytest

from authserver.protocol import credential
from authserver.protocol.amr import BY_PASSWORD
from authserver.store.factors import Factor, Kind, NewFactor
from authserver.store.half_sign_ins import HalfSignIn
from authserver.store.models import HalfSignInRow
from authserver.store.stores import Stores
from tests.purging import purge

from .crowd import SIZE, Crowd
from .scene import EVENT, Scene, let_pass

ONCE = [False] * (SIZE - 1) + [True]


def an_app(stores: Stores, user_id: str) -> Factor:
    stores.factors.add(user_id, NewFactor(Kind.APP, "App", b"sealed"), EVENT)
    return stores.factors.of_user(user_id)[-1]


def use_code(scene: Scene, step: str, number: int) -> bool:
    (factor,) = scene.stores.factors.of_user(scene.user_id)
    return scene.stores.factors.use(factor, int(step), EVENT)


def use_recovery_code(scene: Scene, code: str, number: int) -> bool:
    return scene.stores.recovery_codes.use(scene.user_id, credential.digest(code), EVENT)


def complete(scene: Scene, secret: str, number: int) -> bool:
    return scene.stores.half_sign_ins.complete(credential.digest(secret))


def test_of_fifty_who_bring_one_code_at_one_instant_one_is_let_in(crowd: Crowd, url: str, scene: Scene):
    an_app(scene.stores, scene.user_id)
    assert sorted(crowd.all_do(use_code, url, scene, "7")) == ONCE
    assert not use_code(scene, "6", 0)
    assert use_code(scene, "8", 0)


def test_of_fifty_who_bring_one_recovery_code_at_one_instant_one_is_let_in(crowd: Crowd, url: str, scene: Scene):
    scene.stores.recovery_codes.replace(scene.user_id, [credential.digest("a"), credential.digest("b")], EVENT)
    assert sorted(crowd.all_do(use_recovery_code, url, scene, "a")) == ONCE
    assert scene.stores.recovery_codes.left(scene.user_id) == 1


def half(scene: Scene, secret: str) -> HalfSignIn:
    """Half a sign-in of the scene's person."""
    person = scene.stores.users.find(scene.user_id)
    assert person
    return HalfSignIn(credential.digest(secret), person, BY_PASSWORD, 0)


def test_of_fifty_who_complete_one_sign_in_at_one_instant_one_does(crowd: Crowd, url: str, scene: Scene):
    scene.stores.half_sign_ins.begin(half(scene, "x"), 600, EVENT)
    assert sorted(crowd.all_do(complete, url, scene, "x")) == ONCE
    assert scene.stores.half_sign_ins.find(credential.digest("x")) is None


@pytest.mark.parametrize(("before", "now", "taken"), [(0, 0, True), (0, 1, True), (5, 5, False), (5, 0, False)])
def test_a_passkey_counts_up_or_never_counts(stores: Stores, scene: Scene, before: int, now: int, taken: bool):
    new = NewFactor(Kind.PASSKEY, "Key", b"public", before, b"id")
    stores.factors.add(scene.user_id, new, EVENT)
    factor = stores.factors.by_credential(b"id")
    assert factor is not None
    assert stores.factors.use(factor, now, EVENT) is taken


def test_an_app_that_is_not_confirmed_counts_for_nothing_and_waits_an_hour(stores: Stores, scene: Scene):
    for factor_id in ("first", "second"):
        stores.factors.begin(scene.user_id, factor_id, NewFactor(Kind.APP, "App", b"sealed"))
    begun = stores.factors.unconfirmed(scene.user_id, Kind.APP)
    assert begun is not None
    assert begun.id == "second"
    assert stores.factors.of_user(scene.user_id) == ()
    assert not stores.factors.use(begun, 1, EVENT)
    assert stores.factors.confirm(begun.id, 1, EVENT)
    assert not stores.factors.confirm(begun.id, 2, EVENT)
    stores.factors.begin(scene.user_id, "third", NewFactor(Kind.APP, "App", b"sealed"))
    let_pass(stores.database, 3600)
    assert stores.factors.unconfirmed(scene.user_id, Kind.APP) is None
    assert [each.id for each in stores.factors.of_user(scene.user_id)] == ["second"]


def test_halves_that_expired_are_purged(stores: Stores, scene: Scene):
    stores.half_sign_ins.begin(half(scene, "x"), 600, EVENT)
    assert purge(stores.database)["half_sign_ins"] == 0
    let_pass(stores.database, 600)
    assert purge(stores.database)[HalfSignInRow.__tablename__] == 1
