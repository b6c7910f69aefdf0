"""What many callers in several processes get when they do the same thing at one instant."""

from collections import Counter

import pytest
from sqlalchemy import func, select

from authserver.protocol import credential
from authserver.protocol.errors import InvalidGrant
from authserver.store.models import AuditRow, FamilyRow, GrantRow

from .crowd import SIZE, Crowd
from .scene import EVENT, WINDOW, Scene, let_pass, refresh_token


def redeem(scene: Scene, code: str, number: int) -> tuple[str, str]:
    outcome = scene.redeem(code)
    return outcome.authority.family_id, refresh_token(outcome)


def refresh(scene: Scene, token: str, number: int) -> str:
    return refresh_token(scene.refresh(token))


def approve(scene: Scene, code: str, number: int) -> str:
    approval = scene.approval(f"scope:{number}")
    return scene.stores.grants.approve(approval, scene.new_code(f"{code} {number}"), EVENT)


def fail(scene: Scene, key: str, number: int) -> None:
    scene.stores.throttles.failed([key, "everybody"], lambda failures: failures)


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
    let_pass(scene.stores.database, WINDOW)
    with pytest.raises(InvalidGrant):
        scene.refresh(presented)
    with pytest.raises(InvalidGrant):
        scene.refresh(newest)


@pytest.mark.requirement("TK-3")
def test_a_reused_token_that_fifty_present_at_once_ends_its_family_once(crowd: Crowd, url: str, scene: Scene):
    stolen = scene.first_token()
    kept = refresh_token(scene.refresh(stolen))
    let_pass(scene.stores.database, WINDOW)

    assert crowd.all_do(refresh, url, scene, stolen) == ["InvalidGrant"] * SIZE

    with pytest.raises(InvalidGrant):
        scene.refresh(kept)
    assert _audited(scene)["token.reused"] == 1


@pytest.mark.requirement("AZ-14")
def test_fifty_decisions_on_one_device_at_one_instant_add_up_in_one_grant(crowd: Crowd, url: str, scene: Scene):
    grants = crowd.all_do(approve, url, scene, "code")

    assert len(set(grants)) == 1
    with scene.stores.database.reading() as connection:
        held = connection.execute(select(GrantRow.scopes)).scalar_one()
    assert set(held) == {f"scope:{number}" for number in range(SIZE)}


@pytest.mark.requirement("AZ-12")
def test_every_one_of_fifty_concurrent_failures_is_counted(crowd: Crowd, url: str, scene: Scene):
    crowd.all_do(fail, url, scene, "user:alice")

    assert SIZE - 10 <= scene.stores.throttles.blocked_for(["user:alice"]) <= SIZE
    assert SIZE - 10 <= scene.stores.throttles.blocked_for(["everybody"]) <= SIZE


def _audited(scene: Scene) -> Counter[str]:
    with scene.stores.database.reading() as connection:
        return Counter(connection.scalars(select(AuditRow.name)))
