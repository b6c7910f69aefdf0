"""Refresh tokens: rotation, lost answers, theft."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.exceptions import InvalidTag
from sqlalchemy import func, select

from authserver.keys.envelope import SuccessorEnvelope
from authserver.protocol import credential
from authserver.protocol.access_token import Authority, TokenId
from authserver.protocol.errors import InvalidGrant, InvalidTarget
from authserver.store.grants import Whose
from authserver.store.models import AuditRow, FamilyRow, RefreshTokenRow

from .scene import EVENT, LIFETIME, RESOURCE, WINDOW, Scene, a_client, let_pass, refresh_token

pytestmark = pytest.mark.requirement("TK-3", "TK-4")


@pytest.fixture
def token(scene: Scene) -> str:
    return scene.first_token()


def sealed_copies(scene: Scene) -> int:
    with scene.stores.database.reading() as connection:
        sealed = select(func.count()).select_from(RefreshTokenRow).where(RefreshTokenRow.sealed.is_not(None))
        return connection.execute(sealed).scalar_one()


def test_a_token_is_replaced_by_its_successor_with_the_same_authority(scene: Scene, token: str):
    first = scene.refresh(token)
    second = scene.refresh(refresh_token(first))
    assert len({token, first.refresh_token, second.refresh_token}) == 3
    assert first.authority == second.authority
    assert first.authority.scopes == ("notes:read", "notes:write")
    assert first.authority.subject == scene.user_id


def test_a_lost_answer_is_given_again_within_the_window(scene: Scene, token: str):
    first = scene.refresh(token)
    let_pass(scene.stores.database, WINDOW - 60)
    assert scene.refresh(token) == first
    assert scene.refresh(refresh_token(first))


def test_the_window_runs_from_the_first_rotation(scene: Scene, token: str):
    first = refresh_token(scene.refresh(token))
    for _ in range(2):
        let_pass(scene.stores.database, WINDOW // 2 - 30)
        assert refresh_token(scene.refresh(token)) == first
    let_pass(scene.stores.database, 61)
    with pytest.raises(InvalidGrant):
        scene.refresh(token)


def test_once_the_successor_is_used_the_old_token_is_refused_within_the_window_and_nothing_is_revoked(scene, token):
    successor = refresh_token(scene.refresh(token))
    newest = refresh_token(scene.refresh(successor))
    with pytest.raises(InvalidGrant):
        scene.refresh(token)
    assert refresh_token(scene.refresh(successor)) == newest
    assert scene.refresh(newest)


def test_after_the_window_a_used_token_ends_its_family(scene: Scene, token: str):
    first = scene.refresh(token)
    let_pass(scene.stores.database, WINDOW + 1)
    with pytest.raises(InvalidGrant):
        scene.refresh(token)
    with pytest.raises(InvalidGrant):
        scene.refresh(refresh_token(first))
    assert scene.stores.access_tokens.authority(TokenId.new(first.authority.family_id)) is None
    with scene.stores.database.reading() as connection:
        reused = connection.execute(select(AuditRow).where(AuditRow.name == "token.reused")).one()
    assert (reused.outcome, reused.user_id, reused.resource) == ("refused", scene.user_id, RESOURCE)
    assert isinstance(first.authority, Authority)
    assert reused.grant_id == first.authority.grant_id


def test_a_window_of_nothing_forgives_no_repeat(scene: Scene, token: str):
    scene.refresh(token, window=0)
    with pytest.raises(InvalidGrant):
        scene.refresh(token, window=0)


def test_ending_one_family_leaves_another_of_the_same_grant(scene: Scene, token: str):
    other = scene.first_token()
    scene.refresh(token)
    let_pass(scene.stores.database, WINDOW + 1)
    with pytest.raises(InvalidGrant):
        scene.refresh(token)
    assert scene.refresh(other)


def test_a_family_can_be_ended_once(scene: Scene, token: str):
    family_id = token.rpartition(".")[2]
    assert scene.stores.refresh_tokens.revoke_family(family_id, EVENT) is True
    assert scene.stores.refresh_tokens.revoke_family(family_id, EVENT) is False
    assert scene.stores.refresh_tokens.revoke_family("unknown", EVENT) is False


@pytest.mark.requirement("TK-8")
def test_its_client_ends_a_family_by_any_of_its_tokens(scene: Scene, token: str):
    other = scene.first_token()
    newest = refresh_token(scene.refresh(token))
    digest, client_id = credential.digest(token), scene.client.client_id
    for wrong in ((digest, "another"), (credential.digest("unknown"), client_id)):
        scene.stores.refresh_tokens.revoke(*wrong, EVENT)
    newest = refresh_token(scene.refresh(newest))
    for _ in range(2):
        scene.stores.refresh_tokens.revoke(digest, client_id, EVENT)
    with pytest.raises(InvalidGrant):
        scene.refresh(newest)
    assert scene.refresh(other)
    with scene.stores.database.reading() as connection:
        (told,) = connection.execute(select(AuditRow).where(AuditRow.name == EVENT.name, AuditRow.resource == RESOURCE))
    assert (told.user_id, told.client_id, told.grant_id is None) == (scene.user_id, client_id, False)


@pytest.mark.requirement("TK-8")
def test_who_revokes_what_somebody_else_has_locked_waits_for_them(scene: Scene, token: str):
    if scene.stores.database.dialect != "postgresql":
        pytest.skip("about PostgreSQL's locks; SQLite has one writer")
    revoke = scene.stores.refresh_tokens.revoke
    with ThreadPoolExecutor() as callers:
        with scene.stores.database.transaction() as connection:
            connection.execute(select(FamilyRow.id).with_for_update())
            waits = callers.submit(revoke, credential.digest(token), scene.client.client_id, EVENT)
            with pytest.raises(TimeoutError):
                waits.result(0.5)
        waits.result(30)
    with pytest.raises(InvalidGrant):
        scene.refresh(token)


def test_an_unused_token_ends_after_its_lifetime(scene: Scene, token: str):
    let_pass(scene.stores.database, LIFETIME)
    with pytest.raises(InvalidGrant):
        scene.refresh(token)


@pytest.mark.requirement("TK-5")
def test_each_use_begins_a_new_lifetime(scene: Scene, token: str):
    let_pass(scene.stores.database, LIFETIME - 100)
    newer = refresh_token(scene.refresh(token))
    let_pass(scene.stores.database, LIFETIME - 100)
    assert scene.refresh(newer)


@pytest.mark.requirement("TK-5")
def test_another_resource_does_not_touch_the_token(scene: Scene, token: str):
    with pytest.raises(InvalidTarget):
        scene.refresh(token, resource="https://other.example/mcp")
    assert scene.refresh(token, resource=RESOURCE)


@pytest.mark.requirement("TK-5")
def test_a_refresh_gives_no_scope_that_the_grant_has_lost(scene: Scene, token: str):
    narrower = scene.approval("notes:read", withdrawn=("notes:write",))
    scene.stores.grants.approve(narrower, scene.new_code("another"), EVENT)
    assert scene.refresh(token).authority.scopes == ("notes:read",)


@pytest.mark.requirement("TK-5")
def test_a_refresh_gives_no_scope_that_only_the_grant_has_gained(scene: Scene, token: str):
    scene.stores.grants.approve(scene.approval("notes:delete"), scene.new_code("another"), EVENT)
    assert scene.refresh(token).authority.scopes == ("notes:read", "notes:write")


def test_another_client_does_not_touch_the_token(scene: Scene, token: str):
    other = a_client()
    scene.stores.clients.register(other, EVENT)
    with pytest.raises(InvalidGrant):
        Scene(scene.stores, scene.user_id, other).refresh(token)
    scene.refresh(token)
    let_pass(scene.stores.database, WINDOW + 1)
    with pytest.raises(InvalidGrant):
        Scene(scene.stores, scene.user_id, other).refresh(token)
    with scene.stores.database.reading() as connection:
        assert connection.execute(select(AuditRow).where(AuditRow.name == "token.reused")).all() == []


def test_a_suspended_client_refreshes_nothing_until_it_may_again(scene: Scene, token: str):
    scene.stores.clients.set_suspended(scene.client.client_id, True, EVENT)
    with pytest.raises(InvalidGrant):
        scene.refresh(token)
    scene.stores.clients.set_suspended(scene.client.client_id, False, EVENT)
    assert scene.refresh(token)


@pytest.mark.parametrize("how", ["grant", "client", "user", "resource"])
def test_whatever_ends_the_grant_ends_its_tokens(scene: Scene, token: str, how: str):
    stores = scene.stores
    [grant] = stores.grants.for_user(scene.user_id)
    ends = {
        "grant": lambda: stores.grants.revoke(grant.id, EVENT),
        "client": lambda: stores.clients.delete(scene.client.client_id, EVENT),
        "user": lambda: stores.users.set_disabled(scene.user_id, True, EVENT),
        "resource": lambda: stores.grants.revoke_all(Whose(client_id=scene.client.client_id), EVENT),
    }
    ends[how]()
    with pytest.raises(InvalidGrant):
        scene.refresh(token)


def test_the_sealed_successor_opens_with_the_presented_token_only(scene: Scene, token: str):
    successor = refresh_token(scene.refresh(token))
    state = scene.stores.refresh_tokens.state(credential.digest(token))
    assert state is not None
    assert state.sealed_successor is not None
    family_id, digest = state.authority.family_id, credential.digest(successor)

    def open_with(presented: str) -> str:
        sealed = state.sealed_successor or b""
        return SuccessorEnvelope().open(sealed, presented=presented, family_id=family_id, successor_digest=digest)

    assert open_with(token) == successor
    with pytest.raises(InvalidTag):
        open_with(successor)


def test_the_sealed_successor_is_erased_at_its_first_use(scene: Scene, token: str):
    successor = refresh_token(scene.refresh(token))
    assert sealed_copies(scene) == 1
    scene.refresh(successor)
    state = scene.stores.refresh_tokens.state(credential.digest(token))
    assert state is not None
    assert state.sealed_successor is None
    assert state.successor_used
    assert sealed_copies(scene) == 1


def test_the_sweep_erases_sealed_successors_at_the_windows_end_in_bounded_batches(scene: Scene):
    tokens = [scene.first_token() for _ in range(3)]
    successors = [refresh_token(scene.refresh(token)) for token in tokens]
    assert scene.stores.refresh_tokens.erase_sealed(WINDOW, 10) == 0
    let_pass(scene.stores.database, WINDOW + 1)
    assert scene.stores.refresh_tokens.erase_sealed(WINDOW, 2) == 2
    assert scene.stores.refresh_tokens.erase_sealed(WINDOW, 2) == 1
    assert sealed_copies(scene) == 0
    assert scene.refresh(successors[0])


@pytest.mark.requirement("TK-6")
def test_no_token_is_stored_in_clear(scene: Scene, token: str):
    successor = refresh_token(scene.refresh(token))
    with scene.stores.database.reading() as connection:
        rows = connection.execute(select(*RefreshTokenRow.__table__.columns)).all()
    stored = b"".join(value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row)
    for secret in (token, successor):
        assert secret.partition(".")[0].encode() not in stored
        assert credential.digest(secret) in stored


def test_each_rotation_is_audited_with_all_that_is_known(scene: Scene, token: str):
    authority = scene.refresh(token).authority
    assert isinstance(authority, Authority)
    with scene.stores.database.reading() as connection:
        event = connection.execute(select(AuditRow).where(AuditRow.name == "token.refreshed")).one()
    assert (event.user_id, event.client_id) == (scene.user_id, scene.client.client_id)
    assert (event.resource, event.grant_id) == (RESOURCE, authority.grant_id)
    assert (event.outcome, event.address, event.correlation_id) == ("success", "192.0.2.7", "c0ffee")
