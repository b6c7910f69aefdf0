"""Access tokens: what one stands on."""

import pytest

from authserver.protocol.access_token import TokenId

from .scene import EVENT, Scene, let_pass


@pytest.fixture
def token_id(scene: Scene) -> TokenId:
    return TokenId.new(scene.redeem(scene.approve()).authority.family_id)


@pytest.mark.requirement("TK-9")
def test_a_token_stands_on_its_family_and_grant(scene: Scene, token_id: TokenId):
    authority = scene.stores.access_tokens.authority(token_id)
    assert authority is not None
    assert (authority.subject, authority.family_id) == (scene.user_id, token_id.family_id)
    assert authority.scopes == ("notes:read", "notes:write")
    assert scene.stores.access_tokens.authority(TokenId.new("unknown")) is None


@pytest.mark.requirement("TK-8")
def test_one_token_is_revoked_without_the_others_of_its_family(scene: Scene, token_id: TokenId):
    for _ in range(2):
        scene.stores.access_tokens.revoke(str(token_id), 2_000_000_000, EVENT)
    assert scene.stores.access_tokens.authority(token_id) is None
    assert scene.stores.access_tokens.authority(TokenId.new(token_id.family_id))


@pytest.mark.requirement("TK-8")
def test_an_ended_family_ends_its_access_tokens(scene: Scene, token_id: TokenId):
    scene.stores.refresh_tokens.revoke_family(token_id.family_id, EVENT)
    assert scene.stores.access_tokens.authority(token_id) is None


@pytest.mark.requirement("TK-9")
def test_a_suspended_client_has_no_live_tokens_until_it_may_again(scene: Scene, token_id: TokenId):
    scene.stores.clients.set_suspended(scene.client.client_id, True, EVENT)
    assert scene.stores.access_tokens.authority(token_id) is None
    scene.stores.clients.set_suspended(scene.client.client_id, False, EVENT)
    assert scene.stores.access_tokens.authority(token_id)


@pytest.mark.requirement("TK-9")
def test_a_token_holds_no_scope_that_the_grant_has_lost(scene: Scene, token_id: TokenId):
    narrower = scene.approval("notes:read", withdrawn=("notes:write",))
    scene.stores.grants.approve(narrower, scene.new_code("another"), EVENT)
    authority = scene.stores.access_tokens.authority(token_id)
    assert authority is not None
    assert authority.scopes == ("notes:read",)


def test_a_family_is_kept_as_long_as_its_access_tokens_may_live(scene: Scene, token_id: TokenId):
    let_pass(scene.stores.database, 5000)
    assert scene.stores.access_tokens.authority(token_id)
