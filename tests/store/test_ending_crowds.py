"""Grants that end, or lose a scope, at the instant that their codes are redeemed: no token gets by (TK-10)."""

import pytest

from authserver.protocol.access_token import Authority, TokenId
from authserver.protocol.errors import InvalidGrant
from authserver.store.grants import Whose

from .crowd import SIZE, Crowd
from .scene import EVENT, Scene

ENDER = SIZE // 2


def redeem_while_it_ends(scene: Scene, codes: str, number: int) -> Authority | None:
    """One ends all grants of the person, the others redeem a code each."""
    if number == ENDER:
        scene.stores.grants.revoke_all(Whose(user_id=scene.user_id), EVENT)
        return None
    return _redeem(scene, codes.split()[number])


def redeem_while_it_narrows(scene: Scene, codes: str, number: int) -> Authority | None:
    """One takes a scope from the grant, the others redeem a code each."""
    if number == ENDER:
        narrower = scene.approval("notes:read", withdrawn=("notes:write",))
        scene.stores.grants.approve(narrower, scene.new_code("narrow"), EVENT)
        return None
    return _redeem(scene, codes.split()[number])


def _redeem(scene: Scene, code: str) -> Authority | None:
    try:
        found = scene.redeem(code).authority
    except InvalidGrant:
        return None
    assert isinstance(found, Authority)
    return found


def ended_positions(scene: Scene) -> set[int]:
    return {place.position for place in scene.stores.ended.positions()}


@pytest.mark.requirement("TK-10")
def test_whatever_is_redeemed_while_its_grant_ends_is_on_the_list(crowd: Crowd, url: str, scene: Scene):
    codes = [scene.approve() for _ in range(SIZE)]
    issued = crowd.all_do(redeem_while_it_ends, url, scene, " ".join(codes))
    assert {type(one) for one in issued} <= {Authority, type(None)}, issued
    for authority in issued:
        if authority is not None:
            assert authority.position in ended_positions(scene)
            assert scene.stores.access_tokens.authority(TokenId.new(authority.family_id)) is None


@pytest.mark.requirement("TK-10")
def test_whatever_is_redeemed_while_its_grant_loses_a_scope_has_not_that_scope_or_is_on_the_list(
    crowd: Crowd, url: str, scene: Scene
):
    codes = [scene.approve() for _ in range(SIZE)]
    issued = crowd.all_do(redeem_while_it_narrows, url, scene, " ".join(codes))
    assert {type(one) for one in issued} <= {Authority, type(None)}, issued
    for authority in issued:
        if authority is not None:
            assert "notes:write" not in authority.scopes or authority.position in ended_positions(scene)
