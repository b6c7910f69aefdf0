"""Grants that end by themselves: at the moment that was chosen, or with the browser session (AZ-8, AZ-9)."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select, update

from authserver.protocol import credential
from authserver.protocol.access_token import TokenId
from authserver.protocol.authorization_code import CodeSpent
from authserver.protocol.errors import InvalidGrant
from authserver.protocol.grant_term import SECONDS, GrantOver, Until
from authserver.protocol.tool_permission import Permission
from authserver.protocol.way import Way
from authserver.store.grant_search import GrantFilter
from authserver.store.grants import GrantListing
from authserver.store.models import AuditRow, GrantRow

from .crowd import Crowd
from .scene import EVENT, Scene, let_pass, refresh_token
from .test_grants import PHONE, allow, own, standing

HOURS = SECONDS[Until.HOURS]
COOKIE = credential.digest("a session's cookie")
DAY = 86_400


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


def refresh_or_decide(scene: Scene, token: str, number: int) -> str:
    if number % 10 == 0:
        scene.stores.grants.expire(10)
        return "swept"
    if number % 10 == 1:
        return allow(scene, "notes:read", until=Until.HOURS, device_digest=PHONE)
    try:
        scene.refresh(token)
    except InvalidGrant:
        return "refused"
    return "refreshed"


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
