"""Whoever is locked out holds nothing at once, however many grants they have; the grants end in batches."""

from typing import cast

import pytest

from authserver.keys.rotation import Rotation
from authserver.protocol.errors import OAuthError
from authserver.services.approvals.queue import Approvals
from authserver.services.ended_places import EndedPlaces
from authserver.services.maintenance import Kept, Maintenance
from authserver.services.mass_revocation import end_rest, let_in, lock_out
from authserver.services.reaper import Reaper
from authserver.store.audit import AuditFilter
from authserver.store.grants import Whose
from authserver.store.users import StillEnding

from .crowd import Crowd
from .scene import EVENT, Scene
from .test_ended import NUMBERING, Issued, counts, invalid, issue

FOREVER = 60.0


def five(scene: Scene) -> list[Issued]:
    """Tokens of a person on five devices."""
    return [issue(scene, bytes([number]) * 32) for number in range(5)]


def live(scene: Scene) -> int:
    return scene.stores.grants.count_live(Whose(user_id=scene.user_id), 99)


def batches(scene: Scene) -> list[int]:
    lines = scene.stores.audit.page(AuditFilter(name="grants.revoked"), None, 99).lines
    return sorted(line.event.detail["grants"] for line in lines)


@pytest.mark.requirement("TK-6", "TK-10")
def test_all_that_they_hold_is_dead_before_it_has_ended(scene: Scene):
    tokens = five(scene)
    places = EndedPlaces(scene.stores.ended, scene.stores.epoch, NUMBERING)
    places.look()
    assert scene.stores.users.set_disabled(scene.user_id, True, EVENT, limit=2) is True
    assert live(scene) == 3
    places.look()
    for token in tokens:
        assert invalid(places, token)
        assert not counts(scene, token)
        with pytest.raises(OAuthError):
            scene.refresh(token.refresh_token)


def test_the_rest_ends_in_batches_each_with_its_event(scene: Scene):
    five(scene)
    users = scene.stores.users
    users.set_disabled(scene.user_id, True, EVENT, limit=1)
    assert users.ending(9) == [scene.user_id]
    event = EVENT.about(name="grants.revoked")
    assert users.end_more(scene.user_id, event, limit=3) is True
    assert users.end_more(scene.user_id, event, limit=3) is False
    assert (live(scene), batches(scene), users.ending(9)) == (0, [1, 3], [])
    assert users.end_more(scene.user_id, event) is False
    assert batches(scene) == [1, 3], "nothing is told of nothing"


def test_nobody_is_let_in_before_all_has_ended(scene: Scene):
    tokens = five(scene)
    users = scene.stores.users
    users.set_disabled(scene.user_id, True, EVENT, limit=1)
    with pytest.raises(StillEnding):
        users.set_disabled(scene.user_id, False, EVENT, limit=1)
    found = users.find(scene.user_id)
    assert found is not None
    assert found.disabled
    assert let_in(users, scene.user_id, EVENT, FOREVER) is True
    assert not any(counts(scene, token) for token in tokens)
    assert let_in(users, scene.user_id, EVENT, FOREVER) is False


def test_of_who_was_let_in_as_the_last_grants_ended_nothing_more_is_ended(scene: Scene):
    five(scene)
    users = scene.stores.users
    users.set_disabled(scene.user_id, True, EVENT, limit=1)
    assert users.set_disabled(scene.user_id, False, EVENT, limit=4) is True
    assert users.ending(9) == []
    five(scene)
    users.end_more(scene.user_id, EVENT)
    assert live(scene) == 5


def test_of_an_enabled_person_nothing_is_ended(scene: Scene):
    five(scene)
    assert let_in(scene.stores.users, scene.user_id, EVENT, FOREVER) is False
    assert scene.stores.users.end_more(scene.user_id, EVENT) is False
    assert live(scene) == 5


def test_locking_out_ends_all_while_it_may_take_that_long(scene: Scene):
    five(scene)
    assert lock_out(scene.stores.users, scene.user_id, EVENT, FOREVER) is True
    assert live(scene) == 0
    assert lock_out(scene.stores.users, scene.user_id, EVENT, FOREVER) is False


def test_what_a_process_that_died_left_ends_by_the_next_sweep(scene: Scene):
    five(scene)
    scene.stores.users.set_disabled(scene.user_id, True, EVENT, limit=1)
    Maintenance(
        scene.stores, 300, cast(Reaper, None), cast(Approvals, None), cast(Rotation, None), cast(Kept, None)
    ).sweep()
    assert (live(scene), scene.stores.users.ending(9)) == (0, [])


def end(scene: Scene, user_id: str, number: int) -> None:
    while scene.stores.users.end_more(user_id, EVENT.about(name="grants.revoked"), limit=1):
        pass


def test_sweeps_of_many_nodes_at_once_end_each_grant_once(crowd: Crowd, url: str, scene: Scene):
    five(scene)
    scene.stores.users.set_disabled(scene.user_id, True, EVENT, limit=1)
    crowd.all_do(end, url, scene, scene.user_id)
    assert (live(scene), batches(scene), scene.stores.users.ending(9)) == (0, [1] * 4, [])


def test_the_end_of_time_leaves_the_rest_to_others(scene: Scene, monkeypatch: pytest.MonkeyPatch):
    five(scene)
    users = scene.stores.users
    users.set_disabled(scene.user_id, True, EVENT, limit=1)
    few = users.end_more
    monkeypatch.setattr(type(users), "end_more", lambda _, *given: few(*given, limit=1))
    end_rest(users, scene.user_id, EVENT.about(name="grants.revoked"), 0)
    assert live(scene) == 3
