"""Alerts: each told once, until an administrator has seen it; all of it audited."""

import pytest
from sqlalchemy import update

from authserver.protocol.alert import AlertKind
from authserver.store.alerts import Alert, AlertListing
from authserver.store.audit import AuditFilter
from authserver.store.models import AlertRow
from tests.purging import purge

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


def many(scene: Scene, kind: AlertKind, count: int, hours_ago: int = 0) -> None:
    alerts = [Alert(kind, RESOURCE, occasion=f"{hours_ago} {number}") for number in range(count)]
    assert scene.stores.alerts.raise_new(alerts, RAISED) == count
    with scene.stores.database.transaction() as connection:
        raised = update(AlertRow).where(AlertRow.id.in_([alert.id for alert in alerts]))
        connection.execute(raised.values(raised_at=AlertRow.raised_at - hours_ago * 3600))


def test_critical_alerts_come_first_however_many_others_are_newer(scene: Scene):
    alerts = scene.stores.alerts
    many(scene, AlertKind.NEW_NETWORK, 5, hours_ago=2)
    many(scene, AlertKind.TOKEN_REUSED, 3, hours_ago=50)
    many(scene, AlertKind.TRAIL_BROKEN, 1, hours_ago=60)
    many(scene, AlertKind.FAILED_SIGN_INS_OF_SOURCE, 5)
    expected = [*["token_reused"] * 3, "trail_broken", *["failed_sign_ins_of_source"] * 5, *["new_network"] * 5]
    for size in (1, 2, 4, 5, 14, 20):
        pages: list[tuple[AlertListing, ...]] = []
        after: str | None = None
        while not pages or after:
            page = alerts.standing(after, size)
            pages.append(page.lines)
            after = page.after
        lines = [line for lines in pages for line in lines]
        assert [line.kind for line in lines] == expected
        assert len({line.id for line in lines}) == len(expected)
        assert all(len(page) == size for page in pages[:-1])


def test_all_older_ones_of_a_kind_are_dismissed_at_once_and_nothing_else(scene: Scene):
    alerts = scene.stores.alerts
    many(scene, AlertKind.NEW_NETWORK, 4, hours_ago=2)
    many(scene, AlertKind.NEW_NETWORK, 1, hours_ago=1)
    many(scene, AlertKind.NEW_NETWORK, 1)
    many(scene, AlertKind.TOKEN_REUSED, 1, hours_ago=3)
    last = alerts.standing(None, 10).lines[2]
    assert alerts.dismiss_until(last.id, SEEN) == 5
    assert alerts.dismiss_until(last.id, SEEN) == 0
    assert alerts.dismiss_until("unknown", SEEN) == 0
    assert [line.kind for line in alerts.standing(None, 10)] == ["token_reused", "new_network"]
    [event] = scene.stores.audit.page(AuditFilter(name="alert.dismissed"), None, 10)
    assert event.event.detail == {"kind": "new_network", "until": last.raised_at, "alerts": 5}


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
