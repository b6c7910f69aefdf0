"""People, their sessions, and the delays that failures cost."""

import pytest

from authserver.protocol import credential
from authserver.protocol.role import Role
from authserver.store.stores import Stores
from authserver.store.throttles import MustWait
from authserver.store.user import User
from authserver.store.users import UserExists

from .scene import EVENT, Scene, let_pass

COOKIE = credential.digest("mcpw_cookie")
DAY = 86_400


@pytest.fixture
def alice(stores: Stores) -> User:
    return stores.users.add("Alice", "Alice A.", "a hash", Role.AUDITOR, EVENT)


@pytest.fixture
def session(stores: Stores, alice: User) -> bytes:
    stores.sessions.open(COOKIE, alice.id, 30 * DAY, "192.0.2.7", EVENT)
    return COOKIE


def test_a_person_is_found_by_id_and_by_name_without_regard_to_case(stores: Stores, alice: User):
    assert stores.users.find(alice.id) == alice
    assert stores.users.by_name("ALICE") == alice
    assert stores.users.by_name("alice b") is None
    assert (alice.username, alice.role, alice.disabled) == ("alice", Role.AUDITOR, False)


def test_a_user_name_is_given_once_whatever_its_case(stores: Stores, alice: User):
    with pytest.raises(UserExists):
        stores.users.add("ALICE", "Another", "hash", Role.MEMBER, EVENT)
    assert len(stores.users.page("", None, 10).lines) == 1


def test_a_hash_is_replaced_unless_it_is_another_by_now(stores: Stores, alice: User):
    assert stores.users.rehash(alice.id, alice.password_hash, "another hash", EVENT) is True
    assert stores.users.rehash(alice.id, alice.password_hash, "a third hash", EVENT) is False
    found = stores.users.find(alice.id)
    assert found is not None
    assert found.password_hash == "another hash"
    assert stores.users.rehash("nobody", "another hash", "hash", EVENT) is False


def test_the_list_of_people_counts_their_live_grants(scene: Scene):
    scene.approve()
    scene.stores.users.add("bob", "Bob", "hash", Role.MEMBER, EVENT)
    found = {line.user.username: line.live_grants for line in scene.stores.users.page("", None, 10)}
    assert found == {"alice": 1, "bob": 0}
    assert [line.user.username for line in scene.stores.users.page("BO", None, 10)] == ["bob"]


@pytest.mark.requirement("AZ-10")
def test_a_session_is_found_with_its_person(stores: Stores, session: bytes, alice: User):
    found = stores.sessions.find(session)
    assert found is not None
    assert found.user == alice
    assert found.expires_at - found.auth_time == 30 * DAY
    assert stores.sessions.find(credential.digest("another")) is None


def test_an_ended_session_is_not_found(stores: Stores, session: bytes):
    assert stores.sessions.end(session, EVENT) is True
    assert stores.sessions.find(session) is None
    assert stores.sessions.end(session, EVENT) is False


def test_all_sessions_of_a_person_end_together(stores: Stores, session: bytes, alice: User):
    second = credential.digest("second")
    stores.sessions.open(second, alice.id, DAY, "", EVENT)
    assert stores.sessions.end_all(alice.id, EVENT) == 2
    assert stores.sessions.find(session) is None
    assert stores.sessions.find(second) is None


def test_a_session_ends_without_a_request_for_a_while_and_after_its_lifetime(stores: Stores, session: bytes):
    for _ in range(5):
        let_pass(stores.database, 6 * DAY - 600)
        assert stores.sessions.find(session), "each request keeps it awake"
    let_pass(stores.database, 3600)
    assert stores.sessions.find(session) is None


def test_a_session_that_nobody_used_ends_early(stores: Stores, session: bytes):
    let_pass(stores.database, 7 * DAY)
    assert stores.sessions.find(session) is None


def test_a_disabled_person_loses_sessions_and_grants_and_may_come_back_without_them(scene: Scene):
    stores = scene.stores
    stores.sessions.open(COOKIE, scene.user_id, DAY, "", EVENT)
    scene.approve()
    assert stores.users.set_disabled(scene.user_id, True, EVENT) is True
    assert stores.sessions.find(COOKIE) is None
    stores.users.set_disabled(scene.user_id, False, EVENT)
    assert stores.sessions.find(COOKIE) is None
    assert stores.grants.for_user(scene.user_id) == ()
    found = stores.users.find(scene.user_id)
    assert found is not None
    assert found.disabled is False
    assert stores.users.set_disabled("nobody", True, EVENT) is False


def left(stores: Stores, *keys: str) -> int:
    """The seconds until an attempt of *keys* is admitted; one that need not wait is counted."""
    try:
        stores.throttles.admit(dict.fromkeys(keys, lambda failures: 100 * 2**failures))
    except MustWait as delayed:
        return delayed.seconds
    return 0


@pytest.mark.requirement("AZ-12")
def test_delays_grow_with_each_failure_by_key(stores: Stores):
    for seconds in (200, 400, 800):
        assert left(stores, "account:a") == 0
        assert seconds - 60 <= left(stores, "account:a", "address:b") <= seconds
        let_pass(stores.database, seconds)
    assert left(stores, "address:b") == 0, "an attempt that has to wait is not counted"


@pytest.mark.requirement("AZ-12")
def test_success_and_time_clear_the_failures(stores: Stores):
    counted = []

    def delay(failures: int) -> int:
        counted.append(failures)
        return 10

    def attempt() -> None:
        stores.throttles.admit({"key": delay})

    attempt()
    stores.throttles.cleared(["key"])
    attempt()
    stores.throttles.taken_back(["key"])
    attempt()
    for passed in (10, 10, 3600, DAY):
        let_pass(stores.database, passed)
        attempt()
    assert counted == [1, 1, 1, 2, 3, 2, 1]
