"""Alerts: each told once, until an administrator has seen it; all of it audited."""

import pytest

from authserver.protocol.alert import AlertKind
from authserver.store.alerts import Alert
from authserver.store.audit import AuditFilter
from authserver.store.purge import purge

from .crowd import SIZE, Crowd
from .scene import EVENT, RESOURCE, Scene, let_pass

pytestmark = pytest.mark.requirement("RS-8")

RAISED = EVENT.about(name="alert.raised")
SEEN = EVENT.about(name="alert.dismissed")


def first_use(scene: Scene, tool: str = "delete_note") -> Alert:
    return Alert(AlertKind.FIRST_DESTRUCTIVE_USE, RESOURCE, scene.client.client_id, scene.user_id, tool)


def audited(scene: Scene, name: str) -> int:
    return len(scene.stores.audit.page(AuditFilter(name=name), None, 50).lines)


def test_an_alert_is_told_once_with_the_names_that_people_know(scene: Scene):
    alerts = scene.stores.alerts
    assert alerts.raise_new([first_use(scene), first_use(scene)], RAISED) == 1
    assert alerts.raise_new([first_use(scene), first_use(scene, "wipe")], RAISED) == 1
    assert len(alerts.standing(None, 10).lines) == 2
    [line] = [line for line in alerts.of_user(scene.user_id, 10) if line.tool == "wipe"]
    assert (line.kind, line.client_name, line.display_name) == ("first_destructive_use", "Editor", "Alice A.")
    assert alerts.of_user("somebody else", 10) == []
    assert len(alerts.of_user(scene.user_id, 1)) == 1
    assert audited(scene, "alert.raised") == 2


def test_what_was_dismissed_is_not_told_again(scene: Scene):
    alerts = scene.stores.alerts
    alerts.raise_new([first_use(scene)], RAISED)
    [line] = alerts.standing(None, 10)
    assert alerts.find(line.id) == line
    assert alerts.dismiss(line.id, SEEN)
    assert not alerts.dismiss(line.id, SEEN)
    assert not alerts.dismiss("unknown", SEEN)
    assert alerts.raise_new([first_use(scene)], RAISED) == 0
    assert list(alerts.standing(None, 10)) == []
    assert alerts.find(line.id) is None
    assert alerts.of_user(scene.user_id, 10) == []
    [event] = scene.stores.audit.page(AuditFilter(name="alert.dismissed"), None, 10)
    assert (event.event.user_id, event.event.detail["kind"]) == (scene.user_id, "first_destructive_use")


def test_old_alerts_are_purged_but_for_first_uses_which_stay_told(scene: Scene):
    alerts = scene.stores.alerts
    alerts.raise_new([first_use(scene), Alert(AlertKind.MANY_CALLS, RESOURCE, tool="a", occasion="1")], RAISED)
    let_pass(scene.stores.database, 11 * 86_400)
    assert purge(scene.stores.database, receipts_for=10 * 86_400)["alerts"] == 1
    assert alerts.raise_new([first_use(scene)], RAISED) == 0


def tell(scene: Scene, subject: str, number: int) -> int:
    return scene.stores.alerts.raise_new([first_use(scene, f"tool-{one}") for one in range(5)], RAISED)


def test_of_many_who_see_the_same_one_tells_it(scene: Scene, crowd: Crowd, url: str):
    told = crowd.all_do(tell, url, scene, "")
    assert len(told) == SIZE
    assert sum(told) == 5
    assert audited(scene, "alert.raised") == 5
