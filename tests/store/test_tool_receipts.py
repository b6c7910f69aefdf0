"""Receipts in the store: each once, under the grant that it belongs to, and counted."""

import random
import time
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update

from authserver.protocol.tool_receipt import ToolReceipt
from authserver.store.models import FamilyRow, GrantRow, ToolHourRow
from authserver.store.tool_calls import CallFilter, Use, Volume
from authserver.store.tool_receipts import Kept
from tests.purging import purge

from .crowd import Crowd
from .scene import RESOURCE, Scene
from .test_plans import noted, plans, scans

pytestmark = pytest.mark.requirement("RS-8")

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
NUMBERS = iter(range(10**9))


def family_of(scene: Scene) -> str:
    """A family of a new grant's."""
    scene.first_token()
    with scene.stores.database.reading() as connection:
        newest = select(FamilyRow.id).order_by(FamilyRow.created_at.desc(), FamilyRow.id).limit(1)
        return str(connection.execute(newest).scalar_one())


def receipt(scene: Scene, family: str | None = None, **changes: Any) -> ToolReceipt:
    made = ToolReceipt(
        id=f"{next(NUMBERS):032}",
        at_ms=int(time.time() * 1000),
        subject=scene.user_id,
        client=scene.client.client_id,
        family=family,
        tool="read_note",
        arguments={"title": "Plans"},
        outcome="ok",
        status=200,
        duration_ms=2.5,
        correlation_id="c0ffee",
        trace_id=None,
        span_id=None,
    )
    return replace(made, **changes)


def keep(scene: Scene, *receipts: ToolReceipt, resource: str = RESOURCE) -> list[Kept]:
    return scene.stores.tool_receipts.keep(resource, receipts)


def listed(scene: Scene, **wanted: Any) -> list[Any]:
    return list(scene.stores.tool_calls.page(CallFilter(**wanted), None, 100))


def test_a_receipt_is_listed_with_the_names_that_people_know(scene: Scene):
    given = receipt(scene, family_of(scene))
    [kept] = keep(scene, given)
    [line] = listed(scene)
    assert (line.at_ms, line.tool, line.arguments, line.outcome) == (given.at_ms, "read_note", {"title": "Plans"}, "ok")
    assert (line.display_name, line.client_name, line.resource) == ("Alice A.", "Editor", RESOURCE)
    assert line.grant_id == kept.grant_id is not None
    for wanted in ({"user_id": scene.user_id}, {"grant_id": kept.grant_id}, {"tool": "read_note"}):
        assert listed(scene, **wanted) == [line]
        assert listed(scene, **{**wanted, "resource": "https://other.example/mcp"}) == []


def test_a_repeated_receipt_counts_once(scene: Scene):
    first, second = (receipt(scene, family_of(scene)) for _ in range(2))
    assert len(keep(scene, first, first)) == 1
    assert len(keep(scene, first, second)) == 1
    assert keep(scene, first, second) == keep(scene) == []
    assert len(listed(scene)) == 2
    assert [volume.day for volume in scene.stores.tool_calls.volumes()] == [2]


def test_another_guards_receipt_of_the_same_id_is_another_one(scene: Scene):
    given = receipt(scene)
    assert len(keep(scene, given, resource="https://other.example/mcp")) == 1
    assert len(keep(scene, given)) == 1


@pytest.mark.parametrize(
    ("changes", "resource"),
    [
        ({"subject": "somebody-else"}, RESOURCE),
        ({"client": "another-client"}, RESOURCE),
        ({"family": "no-such-family"}, RESOURCE),
        ({"family": None}, RESOURCE),
        ({}, "https://other.example/mcp"),
    ],
)
def test_what_disagrees_with_the_grant_is_kept_and_nobodys(scene: Scene, changes: dict[str, Any], resource: str):
    """A guard cannot put a call under a person, or a client, who never came to its server with that grant."""
    given = replace(receipt(scene, family_of(scene)), **changes)
    [kept] = keep(scene, given, resource=resource)
    assert (kept.grant_id, kept.user_id) == (None, None)
    assert listed(scene, user_id=scene.user_id) == []
    [line] = listed(scene)
    assert (line.subject, line.client_id, line.username) == (given.subject, given.client, None)
    assert scene.stores.tool_calls.uses(scene.user_id) == {}


def test_a_receipt_of_an_ended_grant_is_still_its(scene: Scene):
    """It may have waited for hours."""
    family = family_of(scene)
    with scene.stores.database.transaction() as connection:
        connection.execute(update(GrantRow).values(revoked_at=1))
        connection.execute(update(FamilyRow).values(revoked_at=1, expires_at=1))
    [kept] = keep(scene, receipt(scene, family))
    assert kept.user_id == scene.user_id


def test_what_no_database_could_hold_is_kept_in_other_words(scene: Scene):
    odd = "a\0b\ud800c"
    given = receipt(scene, tool=odd, subject=odd, client=odd, family=odd, arguments={odd: odd, "n": 10**30, "f": 1e299})
    keep(scene, given)
    [line] = listed(scene)
    assert line.tool == "a\ufffdb\ufffdc"
    assert line.arguments == {"a\ufffdb\ufffdc": "a\ufffdb\ufffdc", "n": 10**30, "f": 1e299}
    assert [volume.tool for volume in scene.stores.tool_calls.volumes()] == [line.tool]


def test_lists_go_on_where_the_page_before_ended(scene: Scene):
    moment = int(time.time() * 1000)
    keep(scene, *(receipt(scene, at_ms=moment - number // 2) for number in range(25)))
    calls, seen, after = scene.stores.tool_calls, [], None
    while True:
        page = calls.page(CallFilter(resource=RESOURCE), after, 10)
        seen += [line.key for line in page]
        if (after := page.after) is None:
            break
    assert len(seen) == len(set(seen)) == 25


def test_uses_are_told_by_grant_and_tool(scene: Scene):
    family, moment = family_of(scene), int(time.time() * 1000)
    calls = [receipt(scene, family, at_ms=moment - ago) for ago in (5000, 0, 9000)]
    keep(scene, *calls, receipt(scene, family, tool="delete_note", outcome="refused 403", at_ms=moment))
    [kept] = keep(scene, receipt(scene, family, at_ms=moment - 20_000))
    assert scene.stores.tool_calls.uses(scene.user_id) == {
        kept.grant_id: {
            "read_note": Use(4, 0, moment // 1000),
            "delete_note": Use(1, 1, moment // 1000),
        }
    }
    assert scene.stores.tool_calls.uses("somebody else") == {}


def test_volumes_are_of_the_last_day_and_week(scene: Scene):
    moment = int(time.time() * 1000)
    for ago, tool in ((0, "a"), (0, "b"), (2, "a"), (6, "a"), (8, "a")):
        keep(scene, receipt(scene, tool=tool, at_ms=moment - ago * DAY_MS, outcome="refused 403" if ago == 6 else "ok"))
    calls = scene.stores.tool_calls
    assert calls.volumes() == (Volume(RESOURCE, "a", 1, 3, 1), Volume(RESOURCE, "b", 1, 1, 0))
    assert calls.volumes(RESOURCE) == calls.volumes()
    assert calls.volumes("https://other.example/mcp") == ()
    assert calls.days(RESOURCE, {"a", "c"}, 8) == {"a": {0: 1, 2: 1, 6: 1}}


def test_a_server_tells_of_calls_if_it_did_all_along(scene: Scene):
    moment, week = int(time.time() * 1000), 7 * 86_400
    told = lambda: scene.stores.tool_calls.told(week, {RESOURCE})  # noqa: E731
    keep(scene, receipt(scene, at_ms=moment))
    assert told() == frozenset(), "it has only begun"
    keep(scene, receipt(scene, at_ms=moment - 8 * DAY_MS))
    assert told() == {RESOURCE}
    with scene.stores.database.transaction() as connection:
        connection.execute(delete(ToolHourRow).where(ToolHourRow.hour == moment // HOUR_MS))
    assert told() == frozenset(), "it has fallen silent"


def test_refusals_are_counted_up_to_a_bound(scene: Scene):
    client_id, moment = scene.client.client_id, int(time.time() * 1000)
    keep(scene, *(receipt(scene, outcome="refused 403", at_ms=moment - ago * 1000) for ago in (0, 10, 20, 4000)))
    keep(scene, receipt(scene))
    counted = scene.stores.tool_calls.refusals
    assert counted(RESOURCE, [client_id, "other"], 3600, 10) == {client_id: 3, "other": 0}
    assert counted(RESOURCE, [client_id], 3600, 2) == {client_id: 2}


def test_what_is_older_than_its_time_is_purged_in_bounded_batches(scene: Scene):
    old = int(time.time() * 1000) - 11 * DAY_MS
    family = family_of(scene)
    keep(
        scene, *(receipt(scene, family, tool="old", at_ms=old - number) for number in range(5)), receipt(scene, family)
    )
    assert purge(scene.stores.database, 3, receipts_for=10 * 86_400)["tool_receipts"] == 3
    gone = purge(scene.stores.database, 1000, receipts_for=10 * 86_400)
    assert gone["tool_receipts"] == 2
    assert len(listed(scene)) == 1
    [uses] = scene.stores.tool_calls.uses(scene.user_id).values()
    assert list(uses) == ["read_note"]
    with scene.stores.database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(ToolHourRow)).scalar_one() == 1


def test_lists_and_sums_are_found_by_an_index(scene: Scene):
    family = family_of(scene)
    keep(scene, receipt(scene, family, outcome="refused 403"))
    calls = scene.stores.tool_calls
    with noted(scene.stores.database) as executed:
        keep(scene, receipt(scene, family))
        for wanted in ("user_id", "client_id", "grant_id", "resource"):
            calls.page(CallFilter(**{wanted: "x"}), "5.a", 10)
        calls.page(CallFilter(), None, 10)
        calls.volumes(RESOURCE)
        calls.days(RESOURCE, {"read_note"}, 8)
        calls.refusals(RESOURCE, ["x"], 3600, 10)
        calls.uses(scene.user_id)
    in_order = " USING "  # of an index, from where the page begins
    assert [step for step in scans(plans(scene.stores.database, executed)) if in_order not in step] == []
    with noted(scene.stores.database) as executed:
        purge(scene.stores.database)
    found = [step for step in plans(scene.stores.database, executed) if "tool_" in step]
    assert scans(found) == []


def keep_many(scene: Scene, family: str, number: int) -> int:
    batch = [receipt(scene, family, id=f"{one:032}", tool=f"tool-{one % 7}") for one in range(50)]
    random.Random(number).shuffle(batch)  # noqa: S311 - a repeatable muddle
    return len(keep(scene, *batch))


def test_a_batch_that_comes_to_many_processes_at_once_counts_once(scene: Scene, crowd: Crowd, url: str):
    assert sum(crowd.all_do(keep_many, url, scene, family_of(scene))) == 50
    assert sum(volume.day for volume in scene.stores.tool_calls.volumes()) == 50
    [uses] = scene.stores.tool_calls.uses(scene.user_id).values()
    assert sum(use.calls for use in uses.values()) == 50
    assert len(listed(scene)) == 50
