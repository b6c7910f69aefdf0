"""What status lists tell is what the state says, however it came to be so (TK-10)."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from authserver.keys.numbering import Numbering, tag
from authserver.protocol.access_token import Authority, TokenId
from authserver.services.ended_places import EndedPlaces
from authserver.store.grants import Whose
from authserver.store.models import FamilyRow, GrantRow
from authserver.store.positions import move
from authserver.store.users import StillEnding
from tests.purging import purge

from .scene import EVENT, NOTES, RESOURCE, Scene, let_pass, refresh_token
from .test_plans import noted, plans, scans

NUMBERING = Numbering(lambda: b"k" * 32)


@dataclass(frozen=True)
class Issued:
    """An access token: its id and what it stands on."""

    id: TokenId
    authority: Authority
    refresh_token: str


def issue(scene: Scene, device: bytes = b"d" * 32) -> Issued:
    secret = f"code-{TokenId.new('x').own}"
    code = scene.new_code(secret, scopes=("notes:read", "notes:write"))
    scene.stores.grants.approve(scene.approval("notes:read", "notes:write", device_digest=device), code, EVENT)
    outcome = scene.redeem(secret)
    assert isinstance(outcome.authority, Authority)
    return Issued(TokenId.new(outcome.authority.family_id), outcome.authority, refresh_token(outcome))


def invalid(places: EndedPlaces, issued: Issued) -> bool:
    assert issued.authority.position is not None
    shard, index = NUMBERING.place(RESOURCE, issued.authority.position)
    return index in places.indexes((tag(RESOURCE), str(shard)))[0]


def counts(scene: Scene, issued: Issued) -> bool:
    """Whether the token is as good as when it was issued, as introspection has it."""
    now = scene.stores.access_tokens.authority(issued.id)
    return now is not None and now.scopes == issued.authority.scopes


def _narrow(scene: Scene, issued: Issued) -> None:
    device = b"d" * 32
    narrower = scene.approval("notes:read", withdrawn=("notes:write",), device_digest=device)
    scene.stores.grants.approve(narrower, scene.new_code(f"narrow-{TokenId.new('x').own}"), EVENT)


def _let_it_end(scene: Scene, issued: Issued) -> None:
    with scene.stores.database.transaction() as connection:
        one = update(GrantRow).where(GrantRow.id == issued.authority.grant_id)
        connection.execute(one.values(ends_at=GrantRow.created_at))
    scene.stores.grants.expire(10)


def _let_in(scene: Scene, issued: Issued) -> None:
    with suppress(StillEnding):
        scene.stores.users.set_disabled(issued.authority.subject, False, EVENT, limit=1)


ACTS: dict[str, Callable[[Scene, Issued], object]] = {
    "end family": lambda s, i: s.stores.refresh_tokens.revoke_family(i.authority.family_id, EVENT),
    "end grant": lambda s, i: s.stores.grants.revoke(i.authority.grant_id, EVENT),
    "let it end": _let_it_end,
    "end all of client": lambda s, i: s.stores.grants.revoke_all(Whose(client_id=i.authority.client_id), EVENT),
    "end all of person": lambda s, i: s.stores.grants.revoke_all(Whose(user_id=i.authority.subject), EVENT),
    "suspend": lambda s, i: s.stores.clients.set_suspended(i.authority.client_id, True, EVENT),
    "unsuspend": lambda s, i: s.stores.clients.set_suspended(i.authority.client_id, False, EVENT),
    "hold": lambda s, i: s.stores.clients.update(s.client, EVENT, hold=True),
    "approve": lambda s, i: s.stores.clients.approve(s.client.client_id, s.client.identity, EVENT),
    "narrow": lambda s, i: None if s.stores.clients.find_fresh(i.authority.client_id) is None else _narrow(s, i),
    "disable": lambda s, i: s.stores.users.set_disabled(i.authority.subject, True, EVENT, limit=1),
    "end more": lambda s, i: s.stores.users.end_more(i.authority.subject, EVENT, limit=1),
    "enable": _let_in,
    "nothing": lambda s, i: None,
}


@pytest.mark.requirement("TK-10")
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(st.tuples(st.sampled_from(sorted(ACTS)), st.integers(0, 2)), max_size=8))
def test_after_any_acts_the_list_is_what_the_state_says(scene: Scene, acts: list[tuple[str, int]]) -> None:
    scene = Scene(scene.stores, scene.user_id, scene.client)
    scene.stores.users.set_disabled(scene.user_id, False, EVENT)
    scene.stores.clients.set_suspended(scene.client.client_id, False, EVENT)
    scene.stores.clients.approve(scene.client.client_id, scene.client.identity, EVENT)
    tokens = [issue(scene), issue(scene), issue(scene, b"e" * 32)]
    followed = EndedPlaces(scene.stores.ended, scene.stores.epoch, NUMBERING)
    followed.look()
    for act, which in acts:
        ACTS[act](scene, tokens[which])
        followed.look()
        read_anew = EndedPlaces(scene.stores.ended, scene.stores.epoch, NUMBERING)
        read_anew.look()
        for token in tokens:
            assert invalid(followed, token) == invalid(read_anew, token)
            assert invalid(followed, token) or counts(scene, token)
            # A scope may come back; a token that was issued before it went does not.
            assert counts(scene, token) or invalid(followed, token)


@pytest.mark.requirement("TK-10")
def test_no_position_is_given_twice_and_a_moved_family_takes_none_of_another(scene: Scene):
    first, second = issue(scene), issue(scene)
    with scene.stores.database.transaction() as connection:
        move(connection, FamilyRow.id == first.authority.family_id)
    third = issue(scene)
    with scene.stores.database.reading() as connection:
        now = set(connection.scalars(select(FamilyRow.status_position)))
    ended = {place.position for place in scene.stores.ended.positions()}
    assert ended == {first.authority.position}
    assert len(now) == 3
    assert not now & ended
    assert {second.authority.position, third.authority.position} < now
    assert scene.stores.ended.reach() >= max(now)


@pytest.mark.requirement("TK-10")
def test_a_refresh_names_the_place_that_its_family_has_now(scene: Scene):
    issued = issue(scene)
    assert scene.refresh(issued.refresh_token).authority.position == issued.authority.position


@pytest.mark.requirement("TK-10")
def test_what_ended_more_than_a_day_ago_is_not_listed_any_more(scene: Scene):
    issued = issue(scene)
    scene.stores.refresh_tokens.revoke_family(issued.authority.family_id, EVENT)
    assert scene.stores.ended.positions()
    let_pass(scene.stores.database, 86_400)
    assert scene.stores.ended.positions()
    let_pass(scene.stores.database, 3_601)
    assert not scene.stores.ended.positions()


@pytest.mark.requirement("TK-10")
def test_a_look_finds_what_ended_by_index(scene: Scene):
    issue(scene)
    stores = scene.stores
    stores.resources.add(NOTES, EVENT)
    with noted(stores.database) as executed:
        stores.ended.positions(120)
        stores.ended.tokens()
        stores.users.ending(9)
    assert scans(plans(stores.database, executed)) == []


@pytest.mark.requirement("TK-10", "TK-8")
def test_when_the_list_of_single_tokens_is_full_the_family_takes_another_place(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("authserver.store.access_tokens.MOST_LISTED", 2)
    about = EVENT.about(resource=RESOURCE)
    listed, late = issue(scene), issue(scene)
    for number in (1, 2):
        scene.stores.access_tokens.revoke(f"{listed.id}{number}", 2_000_000_000, about)
    for _ in range(2):
        scene.stores.access_tokens.revoke(str(late.id), 2_000_000_000, about)
    assert sorted(token.jti for token in scene.stores.ended.tokens()) == [f"{listed.id}1", f"{listed.id}2"]
    assert [place.position for place in scene.stores.ended.positions()] == [late.authority.position]
    assert scene.stores.access_tokens.authority(late.id) is None


@pytest.mark.requirement("TK-8", "TK-10")
def test_a_token_that_was_revoked_alone_is_told_of_for_as_long_as_a_guard_may_take_it(scene: Scene):
    """A guard takes it for its leeway after its end, and its clock may be behind."""
    lifetime, most_leeway, behind = 60, 300, 300
    scene.stores.access_tokens.revoke("alone", int(time.time()) + lifetime, EVENT.about(resource=RESOURCE))
    let_pass(scene.stores.database, lifetime + most_leeway + behind - 10)
    assert purge(scene.stores.database)["revoked_access_tokens"] == 0
    assert [token.jti for token in scene.stores.ended.tokens()] == ["alone"]
    let_pass(scene.stores.database, 20)
    assert scene.stores.ended.tokens() == []
    assert purge(scene.stores.database)["revoked_access_tokens"] == 1
