"""What many callers in several processes get when they do the same thing at one instant."""

import random
from collections import Counter
from contextlib import suppress

import pytest
from sqlalchemy import func, select

from authserver.protocol import credential
from authserver.protocol.access_token import TokenId
from authserver.protocol.errors import InvalidGrant
from authserver.store.models import AuditRow, FamilyRow, GrantRow, ThrottleRow
from authserver.store.throttles import MustWait

from .crowd import SIZE, Crowd
from .scene import EVENT, WINDOW, Scene, heads, let_pass, refresh_token


def redeem(scene: Scene, code: str, number: int) -> tuple[str, str]:
    outcome = scene.redeem(code)
    return outcome.authority.family_id, refresh_token(outcome)


def refresh(scene: Scene, token: str, number: int) -> str:
    return refresh_token(scene.refresh(token))


def muddle(scene: Scene, first: str, number: int) -> list[str]:
    """Present tokens of the family at random, old ones and new ones, as a client with a bug would."""
    chance = random.Random(number)  # noqa: S311 - a repeatable muddle
    known = [first]
    for _ in range(6):
        with suppress(InvalidGrant):
            known.append(refresh_token(scene.refresh(chance.choice(known[-2:]))))
    return known


def rotate_while_it_ends(scene: Scene, token: str, number: int) -> bool:
    if number == SIZE // 2:
        return scene.stores.refresh_tokens.revoke_family(token.rpartition(".")[2], EVENT)
    with suppress(InvalidGrant):
        for _ in range(5):
            token = refresh_token(scene.refresh(token))
    return False


def approve(scene: Scene, code: str, number: int) -> str:
    approval = scene.approval(f"scope:{number}")
    return scene.stores.grants.approve(approval, scene.new_code(f"{code} {number}"), EVENT)


def attempt(scene: Scene, key: str, number: int) -> bool:
    try:
        scene.stores.throttles.admit({key: lambda failures: 1000 if failures > 3 else 0, "everybody": lambda _: 0})
    except MustWait:
        return False
    return True


def use_assertion(scene: Scene, name: str, number: int) -> bool:
    return scene.stores.used_assertions.use(credential.digest(name), 2_000_000_000)


@pytest.mark.requirement("CR-12")
def test_one_of_fifty_who_present_an_assertion_at_one_instant_is_the_first(crowd: Crowd, url: str, scene: Scene):
    assert sorted(crowd.all_do(use_assertion, url, scene, "once")) == [False] * (SIZE - 1) + [True]
    assert scene.stores.used_assertions.use(credential.digest("once"), 2_000_000_000) is False
    assert scene.stores.used_assertions.use(credential.digest("twice"), 2_000_000_000) is True


@pytest.mark.requirement("AZ-7")
def test_one_of_fifty_concurrent_redemptions_wins_and_its_tokens_go_on_working(crowd: Crowd, url: str, scene: Scene):
    results = crowd.all_do(redeem, url, scene, scene.approve())

    assert results.count("InvalidGrant") == SIZE - 1
    [(family_id, token)] = [result for result in results if result != "InvalidGrant"]
    outcome = scene.refresh(token)
    assert outcome.authority.family_id == family_id
    assert outcome.authority.scopes == ("notes:read", "notes:write")
    with scene.stores.database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(FamilyRow)).scalar_one() == 1


@pytest.mark.requirement("TK-3", "TK-4")
def test_fifty_presentations_of_one_refresh_token_at_one_instant_all_get_its_one_successor(
    crowd: Crowd, url: str, scene: Scene
):
    presented = scene.first_token()

    successors = set(crowd.all_do(refresh, url, scene, presented))

    assert len(successors) == 1
    successor = successors.pop()
    assert successor.startswith(credential.Prefix.REFRESH)
    newest = refresh_token(scene.refresh(successor))
    let_pass(scene.stores.database, WINDOW + 1)
    with pytest.raises(InvalidGrant):
        scene.refresh(presented)
    with pytest.raises(InvalidGrant):
        scene.refresh(newest)


@pytest.mark.requirement("TK-3")
def test_a_reused_token_that_fifty_present_at_once_ends_its_family_once(crowd: Crowd, url: str, scene: Scene):
    stolen = scene.first_token()
    kept = refresh_token(scene.refresh(stolen))
    let_pass(scene.stores.database, WINDOW + 1)

    assert crowd.all_do(refresh, url, scene, stolen) == ["InvalidGrant"] * SIZE

    with pytest.raises(InvalidGrant):
        scene.refresh(kept)
    assert _audited(scene)["token.reused"] == 1


@pytest.mark.requirement("TK-3", "TK-4")
def test_whatever_fifty_present_within_the_window_the_family_lives_on_with_one_head(
    crowd: Crowd, url: str, scene: Scene
):
    first = scene.first_token()
    known = {token for tokens in crowd.all_do(muddle, url, scene, first) for token in tokens}

    [head] = heads(scene.stores.database)
    assert "token.reused" not in _audited(scene)
    [newest] = [token for token in known if credential.digest(token) == head]
    assert scene.refresh(newest)


@pytest.mark.requirement("TK-8")
def test_a_family_that_ends_while_fifty_refresh_stays_ended(crowd: Crowd, url: str, scene: Scene):
    token = scene.first_token()
    assert sum(crowd.all_do(rotate_while_it_ends, url, scene, token)) == 1
    assert len(heads(scene.stores.database)) == 1
    assert scene.stores.access_tokens.authority(TokenId.new(token.rpartition(".")[2])) is None
    for digest in heads(scene.stores.database):
        state = scene.stores.refresh_tokens.state(digest)
        assert state is not None
        assert not state.alive


@pytest.mark.requirement("AZ-14")
def test_fifty_decisions_on_one_device_at_one_instant_add_up_in_one_grant(crowd: Crowd, url: str, scene: Scene):
    grants = crowd.all_do(approve, url, scene, "code")

    assert len(set(grants)) == 1
    with scene.stores.database.reading() as connection:
        held = connection.execute(select(GrantRow.scopes)).scalar_one()
    assert set(held) == {f"scope:{number}" for number in range(SIZE)}


@pytest.mark.requirement("AZ-12")
def test_of_fifty_concurrent_attempts_only_those_are_judged_that_need_not_wait(crowd: Crowd, url: str, scene: Scene):
    admitted = crowd.all_do(attempt, url, scene, "user:alice")

    assert sum(admitted) == 4
    with scene.stores.database.reading() as connection:
        rows = connection.execute(select(ThrottleRow.key, ThrottleRow.failures))
        counted = {row.key: row.failures for row in rows}
    assert counted == {"user:alice": 4, "everybody": 4}


def _audited(scene: Scene) -> Counter[str]:
    with scene.stores.database.reading() as connection:
        return Counter(connection.scalars(select(AuditRow.name)))
