"""The purge."""

import time
from collections.abc import Callable

import pytest
from sqlalchemy import func, select, text

from authserver.protocol.errors import InvalidGrant
from authserver.store.models import CodeRow, FamilyRow, GrantRow, RefreshTokenRow
from authserver.store.purge import ALONE, LOCK, Purged, purge_all
from tests.purging import purge

from .scene import EVENT, FAMILY_LIFETIME, LIFETIME, Scene, let_pass, refresh_token

DAY = 86_400
SOON = 8  # seconds, of the ten that whoever purges might wait for a lock


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


def purge_until_done(
    scene: Scene, limit: int, seconds: float = 60.0, *, stop: bool = False
) -> tuple[Purged, list[float]]:
    """A purge that does not wait, and for how long it was to."""
    waits: list[float] = []

    def wait(pause: float) -> bool:
        waits.append(pause)
        return stop

    done = purge_all(scene.stores.database, limit, receipts_for=90 * DAY, seconds=seconds, wait=wait)
    return done, waits


def test_a_purge_goes_on_until_nothing_is_left_and_waits_longer_than_it_works(scene: Scene):
    for _ in range(5):
        scene.first_token()
    let_pass(scene.stores.database, FAMILY_LIFETIME + DAY)
    done, waits = purge_until_done(scene, 2)
    assert (done.rows["refresh_tokens"], done.rows["refresh_families"], done.left) == (5, 5, False)
    assert done.whole
    assert count(scene, FamilyRow) == 0
    assert sum(waits) > done.seconds


def test_what_has_expired_is_kept_for_as_long_as_is_said(scene: Scene):
    scene.first_token()
    let_pass(scene.stores.database, FAMILY_LIFETIME + 100)
    for grace, left in ((200, 1), (50, 0)):
        purge_all(scene.stores.database, 9, grace=grace, receipts_for=9 * DAY, seconds=60, wait=lambda pause: False)
        assert count(scene, FamilyRow) == left


@pytest.mark.parametrize(("seconds", "stop"), [(0.0, False), (60.0, True)])
def test_a_purge_that_ends_early_says_that_something_is_left(scene: Scene, seconds: float, stop: bool):
    scene.first_token()
    let_pass(scene.stores.database, FAMILY_LIFETIME + DAY)
    done, _ = purge_until_done(scene, 1, seconds, stop=stop)
    assert done.left
    assert not done.whole
    assert count(scene, FamilyRow) == 1


def test_who_finds_another_at_the_purge_leaves_it_to_that_one(scene: Scene):
    if scene.stores.database.dialect != "postgresql":
        pytest.skip("on SQLite the second writer waits for its turn")
    scene.first_token()
    let_pass(scene.stores.database, FAMILY_LIFETIME + DAY)
    with scene.stores.database.transaction() as connection:
        connection.execute(ALONE, {"lock": LOCK})
        done, _ = purge_until_done(scene, 2)
        assert (done.rows, done.left, done.whole) == ({}, False, False)
        assert purge(scene.stores.database) == {}
    assert purge_until_done(scene, 2)[0].rows["refresh_tokens"] == 1


def test_a_table_that_somebody_holds_keeps_no_other_from_being_purged(scene: Scene):
    if scene.stores.database.dialect != "postgresql":
        pytest.skip("on SQLite whoever writes holds all tables")
    scene.first_token()
    let_pass(scene.stores.database, FAMILY_LIFETIME + DAY)
    began = time.monotonic()
    with scene.stores.database.transaction() as other:
        other.execute(text("LOCK TABLE revoked_access_tokens IN ACCESS EXCLUSIVE MODE"))
        done, waits = purge_until_done(scene, 2)
    assert 0 in waits
    assert list(done.failed) == ["revoked_access_tokens"]
    assert not done.whole
    assert done.rows.keys() == purge(scene.stores.database, 0).keys() - done.failed.keys()
    assert time.monotonic() - began < SOON
    assert purge_until_done(scene, 2)[0].whole


def test_who_finds_another_at_the_purge_half_way_has_not_gone_through(scene: Scene):
    if scene.stores.database.dialect != "postgresql":
        pytest.skip("on SQLite the second writer waits for its turn")
    with scene.stores.database.transaction() as other:

        def wait(pause: float) -> bool:
            other.execute(ALONE, {"lock": LOCK})
            return False

        done = purge_all(scene.stores.database, 2, receipts_for=90 * DAY, seconds=60.0, wait=wait)
    assert (len(done.rows), done.left, done.whole, done.elsewhere) == (1, False, False, True)


def test_all_kinds_had_their_turn_though_of_one_more_is_left(scene: Scene):
    """As behind a great deal: what goes on for long, batch after batch, does not stand still."""
    for _ in range(5):
        scene.first_token()
    let_pass(scene.stores.database, FAMILY_LIFETIME + DAY)
    kinds = len(purge(scene.stores.database, 0))
    waits = iter([False] * (kinds - 1) + [True])
    done = purge_all(scene.stores.database, 1, receipts_for=90 * DAY, seconds=60.0, wait=lambda pause: next(waits))
    assert (done.whole, done.left, done.rows["refresh_tokens"]) == (True, True, 1)


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
