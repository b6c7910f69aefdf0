"""The purge."""

import time
from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from authserver.protocol.errors import InvalidGrant
from authserver.store.models import CodeRow, FamilyRow, GrantRow, RefreshTokenRow
from authserver.store.purge import purge

from .scene import EVENT, FAMILY_LIFETIME, LIFETIME, Scene, let_pass, refresh_token

DAY = 86_400


def count(scene: Scene, table: type) -> int:
    with scene.stores.database.reading() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_nothing_that_lives_is_purged(scene: Scene):
    token = refresh_token(scene.refresh(scene.first_token()))
    scene.stores.throttles.admit({"key": lambda failures: failures})
    scene.stores.sessions.open(b"digest", scene.user_id, 60, "", EVENT)
    assert set(purge(scene.stores.database).values()) == {0}
    assert scene.refresh(token)


@pytest.mark.requirement("AZ-7")
def test_a_redeemed_code_is_kept_for_a_day_to_recognise_its_replay(scene: Scene):
    code = scene.approve()
    token = refresh_token(scene.redeem(code))
    let_pass(scene.stores.database, LIFETIME - 10)
    purge(scene.stores.database)
    with pytest.raises(InvalidGrant):
        scene.redeem(code)
    with pytest.raises(InvalidGrant):
        scene.refresh(token)
    let_pass(scene.stores.database, DAY)
    purge(scene.stores.database)
    assert count(scene, CodeRow) == 0


def test_tokens_go_after_their_end_and_families_after_their_last_token(scene: Scene):
    scene.refresh(scene.first_token())
    let_pass(scene.stores.database, LIFETIME + DAY)
    gone = purge(scene.stores.database)
    assert (gone["refresh_tokens"], gone["refresh_families"]) == (2, 0)
    let_pass(scene.stores.database, FAMILY_LIFETIME)
    assert purge(scene.stores.database)["refresh_families"] == 1
    assert count(scene, RefreshTokenRow) == count(scene, FamilyRow) == 0
    assert count(scene, GrantRow) == 1


def test_a_purge_is_bounded_and_is_finished_by_repeating_it(scene: Scene):
    for _ in range(5):
        scene.first_token()
    let_pass(scene.stores.database, FAMILY_LIFETIME + DAY)
    assert [purge(scene.stores.database, 2)["refresh_tokens"] for _ in range(4)] == [2, 2, 1, 0]
    while any(purge(scene.stores.database, 2).values()):
        pass
    assert count(scene, FamilyRow) == 0


@pytest.mark.parametrize(
    ("table", "make", "lifetime"),
    [
        ("sessions", lambda s: s.stores.sessions.open(b"digest", s.user_id, 60, "", EVENT), 60 + DAY),
        ("throttles", lambda s: s.stores.throttles.admit({"key": lambda failures: failures}), DAY),
        ("used_assertions", lambda s: s.stores.used_assertions.use(b"digest", int(time.time())), 300),
        ("revoked_access_tokens", lambda s: s.stores.access_tokens.revoke("jti", 1, EVENT), 0),
    ],
)
def test_what_has_expired_goes(scene: Scene, table: str, make: Callable[[Scene], object], lifetime: int):
    make(scene)
    let_pass(scene.stores.database, lifetime)
    assert purge(scene.stores.database)[table] == 1
