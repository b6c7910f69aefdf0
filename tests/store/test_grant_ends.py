"""Grants that end by themselves: at the moment that was chosen, or with the browser session (AZ-8, AZ-9)."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from sqlalchemy import func, select, update

from authserver.protocol import credential
from authserver.protocol.access_token import TokenId
from authserver.protocol.authorization_code import CodeSpent
from authserver.protocol.errors import InvalidGrant
from authserver.protocol.grant_term import SECONDS, GrantOver, SessionOver, Until
from authserver.protocol.tool_permission import Permission
from authserver.protocol.way import Way
from authserver.store.grant_search import GrantFilter
from authserver.store.grants import GrantListing
from authserver.store.models import AuditRow, GrantRow, SessionRow
from authserver.store.purge import purge
from authserver.store.sessions import Session
from authserver.store.stores import SESSION_IDLE_SECONDS

from .crowd import SIZE, Crowd
from .scene import EVENT, Scene, let_pass, refresh_token
from .test_grants import PHONE, allow, own, standing
from .test_plans import noted, plans, scans

HOURS = SECONDS[Until.HOURS]
COOKIE = credential.digest("a session's cookie")
DAY = 86_400


def sign_in(scene: Scene, cookie: bytes = COOKIE, lifetime: int = 30 * DAY) -> Session:
    scene.stores.sessions.open(cookie, scene.user_id, lifetime, "", EVENT)
    found = scene.stores.sessions.find(cookie)
    assert found is not None
    return found


def for_the_session(scene: Scene, session: Session, *scopes: str, **changes: object) -> str:
    return allow(scene, *scopes, until=Until.SESSION, session=session.bounds, **changes)


def begun(scene: Scene, **term: object) -> tuple[str, TokenId]:
    """A refresh token, and the id of an access token, of a grant that lasts so long."""
    code = scene.new_code(secret := credential.mint(credential.Prefix.CODE))
    scene.stores.grants.approve(scene.approval("notes:read", **term), code, EVENT)
    token = refresh_token(scene.redeem(secret))
    return token, TokenId.new(token.rpartition(".")[2])


def end_at_once(scene: Scene) -> None:
    """Have the end of all grants come now."""
    with scene.stores.database.transaction() as connection:
        now = connection.scalar(select(func.max(GrantRow.created_at)))
        connection.execute(update(GrantRow).where(GrantRow.ends_at.is_not(None)).values(ends_at=now))


def told(scene: Scene, name: str = "grant.expired") -> int:
    with scene.stores.database.reading() as connection:
        return connection.scalar(select(func.count()).where(AuditRow.name == name)) or 0


def only(scene: Scene) -> GrantListing:
    (grant,) = own(scene)
    return grant


@pytest.mark.requirement("AZ-8")
@pytest.mark.parametrize("until", [Until.HOURS, Until.DAYS])
def test_a_grant_ends_when_its_person_chose_with_all_that_hangs_on_it(scene: Scene, until: Until):
    token, access = begun(scene, until=until)
    waiting = scene.new_code("waiting", lifetime=2 * SECONDS[until])
    scene.stores.grants.approve(scene.approval("notes:read"), waiting, EVENT)
    let_pass(scene.stores.database, SECONDS[until] - 60)
    assert standing(scene).granted
    assert scene.stores.access_tokens.authority(access)
    let_pass(scene.stores.database, 60)
    assert standing(scene).granted == frozenset()
    assert own(scene) == ()
    assert scene.stores.access_tokens.authority(access) is None
    assert scene.stores.refresh_tokens.state(credential.digest(token)).alive is False
    for refused in (lambda: scene.refresh(token), lambda: scene.redeem("waiting")):
        with pytest.raises(InvalidGrant):
            refused()


@pytest.mark.requirement("AZ-8")
def test_what_is_issued_tells_when_its_grant_ends(scene: Scene):
    allow(scene, "notes:read", until=Until.HOURS)
    ends_at = only(scene).ends_at
    assert ends_at == only(scene).created_at + HOURS
    redeemed = scene.redeem(scene.approve(scopes=("notes:read",)))
    assert redeemed.authority.ends_at == ends_at
    token = refresh_token(redeemed)
    assert scene.refresh(token).authority.ends_at == ends_at
    state = scene.stores.refresh_tokens.state(credential.digest(token))
    assert state.authority.ends_at == ends_at


@pytest.mark.requirement("AZ-8", "TK-10")
def test_the_sweep_writes_an_end_down_once_and_the_status_lists_tell_it(scene: Scene):
    begun(scene, until=Until.HOURS)
    lasting = allow(scene, "notes:read", device_digest=PHONE)
    grant = only(scene) if len(own(scene)) == 1 else next(one for one in own(scene) if one.id != lasting)
    assert scene.stores.grants.expire(10) == 0
    end_at_once(scene)
    with ThreadPoolExecutor(4) as nodes:
        assert sum(nodes.map(lambda _: scene.stores.grants.expire(10), range(4))) == 1
    ended = scene.stores.grants.find(grant.id)
    assert ended is not None
    assert ended.revoked_at
    assert ended.ran_out
    assert len(scene.stores.ended.positions()) == 1
    assert told(scene) == 1
    assert [one.id for one in own(scene)] == [lasting]


def test_the_sweep_finds_what_is_over_by_an_index(scene: Scene):
    allow(scene, "notes:read", until=Until.HOURS)
    session = sign_in(scene)
    for_the_session(scene, session, "notes:read", device_digest=PHONE)
    with noted(scene.stores.database) as executed:
        scene.stores.grants.expire(10)
        scene.stores.sessions.end(COOKIE, EVENT)
    reading = [(said, given) for said, given in executed if said.startswith("SELECT")]
    assert scans(plans(scene.stores.database, reading)) == []


@pytest.mark.requirement("AZ-9", "AZ-14")
@pytest.mark.parametrize("is_swept", [True, False])
def test_a_decision_after_the_end_is_about_a_new_grant(scene: Scene, is_swept: bool):
    first = allow(scene, "notes:read", "notes:write", until=Until.HOURS)
    end_at_once(scene)
    if is_swept:
        scene.stores.grants.expire(10)
    second = allow(scene, "notes:read")
    assert second != first
    assert only(scene).scopes == ("notes:read",)
    assert only(scene).ends_at is None
    assert told(scene) == 1


@pytest.mark.requirement("AZ-14")
def test_the_newest_choice_counts_for_the_whole_grant(scene: Scene):
    allow(scene, "notes:read")
    allow(scene, "notes:write", until=Until.HOURS)
    assert (only(scene).scopes, bool(only(scene).ends_at)) == (("notes:read", "notes:write"), True)
    first = only(scene).ends_at
    allow(scene, "notes:delete")
    assert only(scene).ends_at == first, "kept"
    allow(scene, until=Until.REVOKED)
    assert only(scene).ends_at is None


@pytest.mark.requirement("TK-10")
def test_access_tokens_that_were_issued_for_longer_end_when_a_sooner_end_is_chosen(scene: Scene):
    _, access = begun(scene)
    before = scene.stores.access_tokens.authority(access).position
    allow(scene, "notes:read", until=Until.HOURS)
    assert before in {ended.position for ended in scene.stores.ended.positions()}
    after = scene.stores.access_tokens.authority(access).position
    allow(scene, "notes:read", until=Until.DAYS)
    assert scene.stores.access_tokens.authority(access).position == after, "a later end ends nothing"


@pytest.mark.requirement("AZ-9")
def test_what_is_to_end_is_not_remembered_for_other_devices(scene: Scene):
    yes, no = Permission("seen", (Way(),)), Permission("seen")
    tools = {"read_note": yes, "write_note": no}
    allow(scene, "notes:read", until=Until.HOURS, permissions=tools)
    on_phone = standing(scene, device_digest=PHONE)
    assert on_phone.consented == frozenset()
    assert on_phone.consented_tools == {"write_note": no}, "a no is"
    assert on_phone.client_name == scene.client.name


@pytest.mark.requirement("AZ-9")
def test_what_was_remembered_and_is_now_to_end_is_asked_again_everywhere(scene: Scene):
    allow(scene, "notes:read", "notes:write", device_digest=PHONE)
    allow(scene, "notes:read", until=Until.HOURS)
    assert standing(scene, device_digest=credential.digest("a third")).consented == {"notes:write"}
    end_at_once(scene)
    assert standing(scene).granted == frozenset()
    assert standing(scene).consented == {"notes:write"}
    scene.stores.grants.expire(10)
    assert standing(scene).consented == {"notes:write"}, "what lasts on the phone stays remembered"
    assert standing(scene, device_digest=PHONE).granted == {"notes:read", "notes:write"}


@pytest.mark.requirement("AZ-9")
def test_a_decision_that_keeps_the_term_of_a_grant_makes_no_lasting_one_of_it(scene: Scene):
    first = allow(scene, "notes:read", until=Until.HOURS)
    assert allow(scene, "notes:write", kept=first) == first
    end_at_once(scene)
    for _ in range(2):
        with pytest.raises(GrantOver):
            allow(scene, "notes:read", kept=first)
        scene.stores.grants.expire(10)
    assert own(scene) == ()


@pytest.mark.requirement("AZ-8")
def test_nothing_is_done_under_a_grant_that_is_over(scene: Scene):
    grant_id = allow(scene, "notes:read", "notes:write", until=Until.HOURS)
    end_at_once(scene)
    assert scene.stores.grants.withdraw(grant_id, ["notes:write"], EVENT) == ()
    assert scene.stores.grant_search.page(GrantFilter(live=True), None, 10).lines == ()
    assert len(scene.stores.grant_search.page(GrantFilter(), None, 10).lines) == 1
    (listed,) = scene.stores.grants.page("", None, 10).lines
    assert listed.ran_out


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
def test_a_grant_for_one_session_does_not_end_with_another(scene: Scene):
    other = credential.digest("another cookie")
    here, there = sign_in(scene), sign_in(scene, other)
    kept = for_the_session(scene, here, "notes:read")
    for_the_session(scene, there, "notes:read", device_digest=PHONE)
    scene.stores.sessions.end(other, EVENT)
    assert [one.id for one in own(scene)] == [kept]


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
    with suppress(SessionOver):
        return for_the_session(scene, found, "notes:read", device_digest=device)
    return "too late"


@pytest.mark.requirement("AZ-8")
def test_no_decision_at_the_instant_in_which_the_session_ends_outlives_it(crowd: Crowd, url: str, scene: Scene):
    sign_in(scene, credential.digest("the session"))
    answers = crowd.all_do(end_or_allow, url, scene, "the session")
    assert answers.count("ended") == 1
    assert own(scene) == ()
    assert told(scene) == len(set(answers) - {"ended", "signed out", "too late"})


def refresh_or_decide(scene: Scene, token: str, number: int) -> str:
    with suppress(InvalidGrant):
        if number % 10 == 0:
            scene.stores.grants.expire(10)
            return "swept"
        if number % 10 == 1:
            return allow(scene, "notes:read", until=Until.HOURS, device_digest=PHONE)
        scene.refresh(token)
        return "refreshed"
    return "refused"


@pytest.mark.requirement("AZ-8", "AZ-14")
def test_at_the_instant_of_the_end_nothing_is_refreshed_and_one_new_grant_is_decided_on(
    crowd: Crowd, url: str, scene: Scene
):
    token, _ = begun(scene, until=Until.HOURS, device_digest=PHONE)
    (before,) = own(scene)
    end_at_once(scene)
    answers = crowd.all_do(refresh_or_decide, url, scene, token)
    assert set(answers) - {"swept", "refused"} == {only(scene).id} != {before.id}
    assert told(scene) == 1


def same_form(scene: Scene, code: str, number: int) -> str:
    return scene.stores.grants.approve(scene.approval("notes:read"), scene.new_code(code), EVENT.about(name="decided"))


@pytest.mark.requirement("AZ-13")
def test_a_form_that_comes_many_times_at_once_is_one_decision_with_one_code(crowd: Crowd, url: str, scene: Scene):
    code = credential.mint(credential.Prefix.CODE)
    assert set(crowd.all_do(same_form, url, scene, code)) == {only(scene).id}
    assert told(scene, "decided") == 1
    assert scene.redeem(code).authority.scopes == ("notes:read",)


@pytest.mark.requirement("AZ-13")
def test_a_code_that_was_redeemed_or_has_ended_is_not_handed_out_again(scene: Scene):
    used, ended = scene.new_code("used"), scene.new_code("ended")
    for code in (used, ended):
        scene.stores.grants.approve(scene.approval("notes:read"), code, EVENT)
    scene.redeem("used")
    with pytest.raises(CodeSpent):
        scene.stores.grants.approve(scene.approval("notes:write"), used, EVENT)
    let_pass(scene.stores.database, 61)
    with pytest.raises(CodeSpent):
        scene.stores.grants.approve(scene.approval("notes:write"), ended, EVENT)
    assert only(scene).scopes == ("notes:read",)
