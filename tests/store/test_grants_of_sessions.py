"""Grants that last as long as the browser session in which they were given (AZ-8)."""

import pytest
from sqlalchemy import func, select, update

from authserver.protocol import credential
from authserver.protocol.errors import InvalidGrant
from authserver.protocol.grant_term import SessionOver, Until
from authserver.protocol.role import Role
from authserver.store.models import CodeRow, SessionRow
from authserver.store.sessions import Session, Staying
from authserver.store.stores import SESSION_IDLE_SECONDS
from tests.purging import purge

from .crowd import SIZE, Crowd
from .scene import EVENT, Scene, let_pass
from .test_grant_ends import begun, only, told
from .test_grants import PHONE, allow, own
from .test_plans import noted, plans, scans

COOKIE = credential.digest("a session's cookie")
DAY = 86_400


def sign_in(scene: Scene, cookie: bytes = COOKIE, lifetime: int = 30 * DAY) -> Session:
    scene.stores.sessions.open(cookie, scene.user_id, lifetime, "", EVENT)
    found = scene.stores.sessions.find(cookie)
    assert found is not None
    return found


def for_the_session(scene: Scene, session: Session, *scopes: str, **changes: object) -> str:
    return allow(scene, *scopes, until=Until.SESSION, session=session.bounds, **changes)


ENDS = {
    "signing out": lambda s: s.stores.sessions.end(COOKIE, EVENT),
    "an administrator": lambda s: s.stores.sessions.end_all(s.user_id, EVENT),
    "another password": lambda s: s.stores.account_links.change_password(
        s.user_id, "$argon2id$", "$argon2id$new", None, EVENT
    ),
}


@pytest.mark.requirement("AZ-8")
@pytest.mark.parametrize("how", ENDS)
def test_a_grant_for_the_session_ends_with_it(scene: Scene, how: str):
    session = sign_in(scene)
    token, access = begun(scene, until=Until.SESSION, session=session.bounds)
    lasting = allow(scene, "notes:read", device_digest=PHONE)
    ENDS[how](scene)
    assert scene.stores.access_tokens.authority(access) is None
    with pytest.raises(InvalidGrant):
        scene.refresh(token)
    assert [one.id for one in own(scene)] == [lasting]
    assert told(scene) == 1
    assert len(scene.stores.ended.positions()) == 1


@pytest.mark.requirement("AZ-8")
def test_a_grant_for_the_session_of_a_browser_that_stays_signed_in_ends_with_it(scene: Scene):
    staying = Staying(credential.digest("a browser"), credential.digest("its secret"), 30 * DAY)
    scene.stores.sessions.open(COOKIE, scene.user_id, DAY, "", EVENT, staying=staying)
    for_the_session(scene, scene.stores.sessions.find(COOKIE), "notes:read")
    scene.stores.sessions.end(COOKIE, EVENT)
    assert own(scene) == ()
    assert told(scene) == 1


@pytest.mark.requirement("AZ-8")
def test_a_grant_for_one_session_does_not_end_with_another(scene: Scene):
    other = credential.digest("another cookie")
    here, there = sign_in(scene), sign_in(scene, other)
    kept = for_the_session(scene, here, "notes:read")
    for_the_session(scene, there, "notes:read", device_digest=PHONE)
    scene.stores.sessions.end(other, EVENT)
    assert [one.id for one in own(scene)] == [kept]


@pytest.mark.requirement("AZ-8")
def test_a_grant_for_a_session_that_its_browser_lost_ends_as_the_next_begins_there(scene: Scene):
    lost = sign_in(scene)
    token, _ = begun(scene, until=Until.SESSION, session=lost.bounds)
    elsewhere = for_the_session(scene, lost, "notes:read", device_digest=PHONE)
    scene.stores.sessions.open(credential.digest("next"), scene.user_id, DAY, "", EVENT, device_digest=scene.device)
    with pytest.raises(InvalidGrant):
        scene.refresh(token)
    assert [one.id for one in own(scene)] == [elsewhere]
    assert told(scene) == 1


@pytest.mark.requirement("AZ-8", "AZ-14")
def test_it_ends_as_well_as_somebody_else_signs_in_there(scene: Scene):
    lost = sign_in(scene)
    token, _ = begun(scene, until=Until.SESSION, session=lost.bounds)
    elsewhere = for_the_session(scene, lost, "notes:read", device_digest=PHONE)
    other = scene.stores.users.add("other", "Other", "-", Role.MEMBER, EVENT)
    with noted(scene.stores.database) as executed:
        scene.stores.sessions.open(credential.digest("next"), other.id, DAY, "", EVENT, device_digest=scene.device)
    with pytest.raises(InvalidGrant):
        scene.refresh(token)
    assert [one.id for one in own(scene)] == [elsewhere]
    assert told(scene) == 1
    asked = [statement for statement in executed if "device_digest" in statement[0]]
    assert scans(plans(scene.stores.database, asked)) == []


@pytest.mark.requirement("AZ-8")
def test_what_lasts_longer_than_sessions_does_not_end_as_one_begins(scene: Scene):
    lasting = allow(scene, "notes:read", until=Until.DAYS)
    scene.stores.sessions.open(COOKIE, scene.user_id, DAY, "", EVENT, device_digest=scene.device)
    assert [one.id for one in own(scene)] == [lasting]


@pytest.mark.requirement("AZ-8")
def test_a_grant_for_the_session_ends_when_its_person_is_locked_out(scene: Scene):
    for_the_session(scene, sign_in(scene), "notes:read")
    scene.stores.users.set_disabled(scene.user_id, True, EVENT)
    scene.stores.users.set_disabled(scene.user_id, False, EVENT)
    assert own(scene) == ()


@pytest.mark.requirement("AZ-8")
def test_a_grant_for_the_session_lives_as_long_as_its_person_is_seen(scene: Scene):
    session = sign_in(scene)
    for_the_session(scene, session, "notes:read")
    assert only(scene).with_session
    for _ in range(3):
        let_pass(scene.stores.database, SESSION_IDLE_SECONDS - 60)
        assert only(scene).ends_at
        assert scene.stores.sessions.find(COOKIE)
    let_pass(scene.stores.database, SESSION_IDLE_SECONDS)
    assert scene.stores.sessions.find(COOKIE) is None
    assert own(scene) == ()


@pytest.mark.requirement("AZ-8")
def test_a_grant_for_the_session_ends_at_its_absolute_end(scene: Scene):
    session = sign_in(scene, lifetime=DAY)
    for_the_session(scene, session, "notes:read")
    let_pass(scene.stores.database, DAY // 2)
    scene.stores.sessions.find(COOKIE)
    let_pass(scene.stores.database, DAY // 2)
    assert own(scene) == ()


@pytest.mark.requirement("AZ-8")
def test_another_choice_takes_a_grant_off_its_session(scene: Scene):
    session = sign_in(scene)
    for_the_session(scene, session, "notes:read")
    allow(scene, "notes:read", until=Until.DAYS)
    scene.stores.sessions.end(COOKIE, EVENT)
    assert not only(scene).with_session


@pytest.mark.requirement("AZ-8")
def test_a_session_that_has_ended_can_bound_nothing(scene: Scene):
    session = sign_in(scene)
    scene.stores.sessions.end(COOKIE, EVENT)
    for bounds in (session.bounds, None):
        with pytest.raises(SessionOver):
            allow(scene, "notes:read", until=Until.SESSION, session=bounds)
    assert own(scene) == ()


@pytest.mark.requirement("AZ-9", "AZ-10")
def test_nothing_is_allowed_in_a_session_that_has_ended(scene: Scene):
    bounds = sign_in(scene).bounds
    kept = allow(scene, "notes:read", session=bounds)
    assert allow(scene, "notes:read", session=bounds, kept=kept) == kept
    scene.stores.sessions.end(COOKIE, EVENT)
    with scene.stores.database.reading() as connection:
        before = connection.scalar(select(func.count()).select_from(CodeRow))
    for decision in ({}, {"kept": kept}, {"kept": kept, "silent": True}, {"device_digest": PHONE, "silent": True}):
        with pytest.raises(SessionOver):
            allow(scene, "notes:read", session=bounds, **decision)
    with scene.stores.database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(CodeRow)) == before
    assert [one.id for one in own(scene)] == [kept]


@pytest.mark.requirement("AZ-8", "AZ-10")
def test_a_grant_follows_its_session_when_that_gets_another_secret(scene: Scene):
    for_the_session(scene, sign_in(scene), "notes:read")
    renewed = credential.digest("the next secret")
    with scene.stores.database.transaction() as connection:
        connection.execute(update(SessionRow).values(digest=renewed))
    assert only(scene).with_session
    scene.stores.sessions.end(renewed, EVENT)
    assert own(scene) == ()


@pytest.mark.requirement("AZ-8")
def test_a_session_that_is_purged_leaves_the_grants_that_hung_on_it_ended(scene: Scene):
    grant_id = for_the_session(scene, sign_in(scene, lifetime=DAY), "notes:read")
    let_pass(scene.stores.database, 3 * DAY)
    assert purge(scene.stores.database)["sessions"] == 1
    scene.stores.grants.expire(10)
    found = scene.stores.grants.find(grant_id)
    assert found is not None
    assert found.revoked_at
    assert not found.with_session


def end_or_allow(scene: Scene, session: str, number: int) -> str:
    found = scene.stores.sessions.find(credential.digest(session))
    if number == SIZE // 2:
        scene.stores.sessions.end(credential.digest(session), EVENT)
        return "ended"
    if found is None:
        return "signed out"
    device = credential.digest(f"device {number % 5}")
    try:
        return for_the_session(scene, found, "notes:read", device_digest=device)
    except SessionOver:
        return "too late"


@pytest.mark.requirement("AZ-8")
def test_no_decision_at_the_instant_in_which_the_session_ends_outlives_it(crowd: Crowd, url: str, scene: Scene):
    sign_in(scene, credential.digest("the session"))
    answers = crowd.all_do(end_or_allow, url, scene, "the session")
    assert answers.count("ended") == 1
    assert own(scene) == ()
    assert told(scene) == len(set(answers) - {"ended", "signed out", "too late"})


def test_the_sweep_finds_what_is_over_by_an_index(scene: Scene):
    allow(scene, "notes:read", until=Until.HOURS)
    session = sign_in(scene)
    for_the_session(scene, session, "notes:read", device_digest=PHONE)
    with noted(scene.stores.database) as executed:
        scene.stores.grants.expire(10)
        scene.stores.sessions.end(COOKIE, EVENT)
    reading = [(said, given) for said, given in executed if said.startswith("SELECT")]
    assert scans(plans(scene.stores.database, reading)) == []
