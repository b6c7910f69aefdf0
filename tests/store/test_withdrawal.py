"""Scopes that are taken out of a grant: what was issued ends, the rest goes on, and other devices do not get them."""

import pytest
from sqlalchemy import func, select

from authserver.protocol import credential
from authserver.protocol.access_token import TokenId
from authserver.protocol.errors import InvalidGrant
from authserver.store.audit import AuditFilter
from authserver.store.models import EndedPositionRow, GrantRow
from authserver.store.standing import Place

from .crowd import Crowd
from .scene import EVENT, HOST, RESOURCE, Scene, refresh_token

pytestmark = pytest.mark.requirement("RS-8")

NARROWED = EVENT.about(name="grant.narrowed")


def grant_id(scene: Scene) -> str:
    with scene.stores.database.reading() as connection:
        return str(connection.execute(select(GrantRow.id)).scalar_one())


def places_left(scene: Scene) -> int:
    with scene.stores.database.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(EndedPositionRow)).scalar_one())


def standing(scene: Scene, device: str = "this device"):
    place = Place(scene.client.client_id, HOST, RESOURCE, credential.digest(device))
    return scene.stores.grants.standing(scene.user_id, place)


def test_the_rest_goes_on_and_what_was_issued_ends(scene: Scene):
    outcome = scene.redeem(scene.approve())
    family, before = outcome.authority.family_id, outcome.authority.position
    assert scene.stores.grants.withdraw(grant_id(scene), ("notes:write", "unknown"), NARROWED) == ("notes:write",)
    held = scene.stores.access_tokens.authority(TokenId.new(family))
    assert held is not None
    assert held.scopes == ("notes:read",)
    assert held.position != before
    assert places_left(scene) == 1
    refreshed = scene.refresh(refresh_token(outcome))
    assert refreshed.authority.scopes == ("notes:read",)


def test_it_is_taken_from_the_consent_too_so_that_it_is_asked_for_anew(scene: Scene):
    scene.approve()
    scene.stores.grants.withdraw(grant_id(scene), ("notes:write",), NARROWED)
    assert standing(scene).granted == {"notes:read"}
    assert standing(scene, "another device").consented == {"notes:read"}


def test_a_code_that_waits_loses_it(scene: Scene):
    code = scene.approve()
    scene.stores.grants.withdraw(grant_id(scene), ("notes:write",), NARROWED)
    assert scene.redeem(code).authority.scopes == ("notes:read",)


def test_a_grant_that_loses_all_ends(scene: Scene):
    token = scene.first_token()
    taken = scene.stores.grants.withdraw(grant_id(scene), ("notes:read", "notes:write"), NARROWED)
    assert taken == ("notes:read", "notes:write")
    assert scene.stores.grants.for_user(scene.user_id) == ()
    assert standing(scene).consented == frozenset()
    with pytest.raises(InvalidGrant):
        scene.refresh(token)


def test_it_is_audited_with_what_was_taken_and_for_whom(scene: Scene):
    scene.approve()
    found = grant_id(scene)
    scene.stores.grants.withdraw(found, ("notes:write",), NARROWED)
    [line] = scene.stores.audit.page(AuditFilter(name="grant.narrowed"), None, 10)
    assert line.event.detail == {"withdrawn": "notes:write"}
    assert (line.event.grant_id, line.event.user_id, line.event.resource) == (found, scene.user_id, RESOURCE)


@pytest.mark.parametrize("scopes", [(), ("notes:delete",), ("unknown",)])
def test_where_there_is_nothing_to_take_nothing_is_done(scene: Scene, scopes: tuple[str, ...]):
    scene.first_token()
    assert scene.stores.grants.withdraw(grant_id(scene), scopes, NARROWED) == ()
    assert places_left(scene) == 0
    assert list(scene.stores.audit.page(AuditFilter(name="grant.narrowed"), None, 10)) == []


def test_of_a_grant_that_ended_or_never_was_nothing_is_taken(scene: Scene):
    scene.approve()
    found = grant_id(scene)
    assert scene.stores.grants.revoke(found, EVENT)
    for name in (found, "unknown"):
        assert scene.stores.grants.withdraw(name, ("notes:read",), NARROWED) == ()


def narrow_or_refresh(scene: Scene, subject: str, number: int) -> str:
    grant, token = subject.split(" ")
    if number % 10 == 0:
        return " ".join(scene.stores.grants.withdraw(grant, ("notes:write",), NARROWED))
    scene.refresh(token)
    return ""


def test_while_many_refresh_it_is_taken_once_and_no_later_token_has_it(scene: Scene, crowd: Crowd, url: str):
    token = scene.first_token()
    done = crowd.all_do(narrow_or_refresh, url, scene, f"{grant_id(scene)} {token}")
    assert sorted(filter(None, done)) == ["notes:write"]
    assert refresh_token(scene.refresh(token))
    assert scene.refresh(token).authority.scopes == ("notes:read",)
