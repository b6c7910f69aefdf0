"""Authorization codes."""

import pytest
from sqlalchemy import select

from authserver.protocol import credential
from authserver.protocol.authorization_code import REPLAY_WINDOW
from authserver.protocol.errors import InvalidGrant, InvalidRequest, InvalidTarget
from authserver.store.models import AuditRow, CodeRow, FamilyRow

from .scene import EVENT, FAMILY_LIFETIME, REDIRECT_URI, RESOURCE, Scene, a_client, let_pass, refresh_token

pytestmark = pytest.mark.requirement("AZ-7")


@pytest.fixture
def code(scene: Scene) -> str:
    return scene.approve()


def redeem_as_another(scene: Scene, code: str) -> None:
    other = a_client()
    scene.stores.clients.register(other, EVENT)
    Scene(scene.stores, scene.user_id, other).redeem(code)


def test_a_code_gives_what_was_approved(scene: Scene, code: str):
    outcome = scene.redeem(code)
    authority = outcome.authority
    assert authority.subject == scene.user_id
    assert authority.client_id == scene.client.client_id
    assert authority.resource == RESOURCE
    assert authority.scopes == ("notes:read", "notes:write")
    assert authority.auth_time == 1_700_000_000
    assert refresh_token(outcome).endswith(authority.family_id)


def test_a_code_that_was_not_to_be_refreshed_gives_no_refresh_token(scene: Scene):
    outcome = scene.redeem(scene.approve(wants_refresh=False))
    assert outcome.refresh_token is None


def test_a_code_may_be_redeemed_without_its_redirect_uri_and_resource(scene: Scene, code: str):
    assert scene.redeem(code, redirect_uri=None)


def test_a_code_gives_no_scope_that_the_grant_has_lost_meanwhile(scene: Scene, code: str):
    narrower = scene.approval("notes:read", withdrawn=("notes:write",))
    scene.stores.grants.approve(narrower, scene.new_code("another"), EVENT)
    assert scene.redeem(code).authority.scopes == ("notes:read",)


def test_a_code_ends_after_its_lifetime(scene: Scene, code: str):
    let_pass(scene.stores.database, 60)
    with pytest.raises(InvalidGrant):
        scene.redeem(code)


def test_an_unknown_code_is_refused(scene: Scene):
    with pytest.raises(InvalidGrant):
        scene.redeem("mcpc_unknown")


@pytest.mark.parametrize("wrong", [{"code_verifier": "w" * 43}, {"redirect_uri": REDIRECT_URI + "/other"}])
def test_a_wrong_verifier_or_redirect_uri_from_its_client_ends_the_code_and_revokes_nothing(scene, code, wrong):
    with pytest.raises(InvalidGrant):
        scene.redeem(code, **wrong)
    with pytest.raises(InvalidGrant):
        scene.redeem(code)
    with scene.stores.database.reading() as connection:
        assert connection.execute(select(FamilyRow.id)).all() == []
        outcomes = connection.scalars(select(AuditRow.outcome).where(AuditRow.name == "code.redeemed")).all()
        assert outcomes == ["refused"]


def test_a_malformed_verifier_does_not_touch_the_code(scene: Scene, code: str):
    with pytest.raises(InvalidRequest):
        scene.redeem(code, code_verifier="short")
    assert scene.redeem(code)


def test_another_client_does_not_touch_the_code(scene: Scene, code: str):
    with pytest.raises(InvalidGrant):
        redeem_as_another(scene, code)
    assert scene.redeem(code)


@pytest.mark.requirement("AZ-4")
def test_another_resource_does_not_touch_the_code(scene: Scene, code: str):
    with pytest.raises(InvalidTarget):
        scene.redeem(code, resource="https://other.example/mcp")
    assert scene.redeem(code, resource=RESOURCE)


def test_a_correct_repeat_at_once_is_refused_and_revokes_nothing(scene: Scene, code: str):
    token = refresh_token(scene.redeem(code))
    let_pass(scene.stores.database, REPLAY_WINDOW // 2)
    with pytest.raises(InvalidGrant):
        scene.redeem(code)
    assert scene.refresh(token)


def test_a_correct_repeat_later_revokes_what_the_first_gave(scene: Scene, code: str):
    token = refresh_token(scene.redeem(code))
    let_pass(scene.stores.database, REPLAY_WINDOW + 1)
    with pytest.raises(InvalidGrant):
        scene.redeem(code)
    with pytest.raises(InvalidGrant):
        scene.refresh(token)


@pytest.mark.parametrize("wrong", [{"code_verifier": "w" * 43}, {"redirect_uri": REDIRECT_URI + "/other"}])
def test_a_late_repeat_without_the_right_proof_revokes_nothing(scene: Scene, code: str, wrong):
    token = refresh_token(scene.redeem(code))
    let_pass(scene.stores.database, REPLAY_WINDOW + 1)
    with pytest.raises(InvalidGrant):
        scene.redeem(code, **wrong)
    with pytest.raises(InvalidGrant):
        redeem_as_another(scene, code)
    assert scene.refresh(token)


def test_a_revoked_grant_ends_its_codes(scene: Scene, code: str):
    [grant] = scene.stores.grants.for_user(scene.user_id)
    scene.stores.grants.revoke(grant.id, EVENT)
    with pytest.raises(InvalidGrant):
        scene.redeem(code)


def test_a_disabled_person_and_a_suspended_client_redeem_nothing(scene: Scene, code: str):
    scene.stores.clients.set_suspended(scene.client.client_id, True, EVENT)
    with pytest.raises(InvalidGrant):
        scene.redeem(code)
    scene.stores.clients.set_suspended(scene.client.client_id, False, EVENT)
    scene.stores.users.set_disabled(scene.user_id, True, EVENT)
    with pytest.raises(InvalidGrant):
        scene.redeem(code)


@pytest.mark.requirement("TK-6")
def test_a_code_is_stored_as_its_digest_only(scene: Scene, code: str):
    with scene.stores.database.reading() as connection:
        row = connection.execute(select(*CodeRow.__table__.columns)).one()
    assert row.digest == credential.digest(code)
    assert code not in map(str, row)


@pytest.mark.requirement("TK-5")
def test_a_family_ends_after_its_lifetime_however_often_it_is_used(scene: Scene, code: str):
    token = refresh_token(scene.redeem(code))
    for _ in range(FAMILY_LIFETIME // 9000):
        let_pass(scene.stores.database, 9000)
        token = refresh_token(scene.refresh(token))
    let_pass(scene.stores.database, 9000)
    with pytest.raises(InvalidGrant):
        scene.refresh(token)
