"""Flow traces as they are kept."""

from dataclasses import replace
from typing import Any

from authserver.protocol.audit import Origin
from authserver.protocol.trace.record import Record
from authserver.protocol.trace.step import Cause, Step
from authserver.store.stores import Stores
from authserver.store.traces import KEPT_MS, TraceFilter
from tests.purging import purge

from .crowd import SIZE, Crowd
from .scene import Scene

ORIGIN = Origin("192.0.2.7", "K7QFM-2XW9D", "Editor/1")
FIRST = Record("AAAAA-AAAAA", Step.AUTHORIZATION, Cause.SIGN_IN_NEEDED, ORIGIN, client_id="app")


def page(stores: Stores, **wanted: Any) -> list[str]:
    return [line.id for line in stores.traces.page(TraceFilter(**wanted), None, 100)]


def test_an_attempt_is_what_its_last_step_came_to_in_whatever_order_they_are_written(stores: Stores):
    stores.traces.write([(10, replace(FIRST, step=Step.CONSENT, cause=Cause.DENIED, user_id="ada"))])
    stores.traces.write([(20_000, FIRST), (15_000, replace(FIRST, step=Step.SIGN_IN, cause=Cause.SIGNED_IN))])
    trace = stores.traces.find(FIRST.reference)
    assert trace is not None
    assert (trace.step, trace.cause, trace.verdict, trace.user_id) == ("consent", "denied", "failed", "ada")
    assert [step.cause for step in stores.traces.steps(FIRST.reference)] == ["sign_in_needed", "signed_in", "denied"]
    assert 19_000 <= trace.last_ms - trace.started_ms <= 21_000


def test_the_same_again_is_counted(stores: Stores):
    wrong = replace(FIRST, step=Step.SIGN_IN, cause=Cause.WRONG_PASSWORD)
    stores.traces.write([(5000, wrong), (4000, wrong)])
    stores.traces.write([(0, wrong)])
    (step,) = stores.traces.steps(FIRST.reference)
    assert step.times == 3
    assert 4000 <= step.last_ms - step.first_ms <= 6000


def test_what_is_known_later_is_added_and_nothing_is_forgotten(stores: Stores):
    stores.traces.write([(10, replace(FIRST, resource="https://mcp.example/mcp?key=secret"))])
    stores.traces.write([(0, replace(FIRST, step=Step.TOKEN, cause=Cause.TOKEN_ISSUED, grant_id="g", user_id="ada"))])
    trace = stores.traces.find(FIRST.reference)
    assert trace is not None
    known = (trace.client_id, trace.user_id, trace.grant_id, trace.resource)
    assert known == ("app", "ada", "g", "https://mcp.example/mcp")


def test_a_request_is_found_by_its_correlation_id(stores: Stores):
    stores.traces.write([(0, replace(FIRST, origin=ORIGIN._replace(correlation_id="c0ffee")))])
    found = stores.traces.find_by_correlation("c0ffee")
    assert found is not None
    assert found.id == FIRST.reference
    assert stores.traces.find_by_correlation("\0") is None


def test_lists_show_what_failed_of_a_client_or_person(stores: Stores):
    failed = replace(FIRST, cause=Cause.SCOPE_UNKNOWN)
    stores.traces.write(
        [
            (40, replace(failed, reference="FAILED", user_id="ada")),
            (30, replace(FIRST, reference="WAITS")),
            (20, replace(failed, reference="OTHER", client_id="other")),
            (10, Record("READ", Step.DISCOVERY, Cause.METADATA_READ, ORIGIN)),
        ]
    )
    assert page(stores) == ["OTHER", "FAILED"]
    assert page(stores, failed=False) == ["OTHER", "WAITS", "FAILED"]
    assert page(stores, client_id="app") == ["FAILED"]
    assert page(stores, user_id="ada") == ["FAILED"]
    assert page(stores, user_id="") == []


def test_hostile_text_is_kept_harmless(stores: Stores):
    nasty = "a\0b\ud800c\u202ed\x1b[0m" + "x" * 10_000
    origin = Origin("192.0.2.7", nasty, nasty)
    record = Record("NASTY", Step.REGISTRATION, Cause.REGISTERED, origin, client_id=nasty, about={"name": nasty})
    stores.traces.write([(0, record)])
    (step,) = stores.traces.steps("NASTY")
    assert len(step.about["name"]) <= 200
    assert step.about["name"].isprintable()
    trace = stores.traces.find("NASTY")
    assert trace is not None
    assert len(trace.client_id or "") <= 512
    assert len(trace.agent) <= 120


def test_nothing_is_kept_for_longer_than_a_week(stores: Stores):
    old = replace(FIRST, reference="OLD")
    stores.traces.write([(KEPT_MS + 60_000, old), (KEPT_MS - 60_000, FIRST)])
    stores.traces.write([(KEPT_MS + 50_000, replace(old, step=Step.CONSENT, cause=Cause.DENIED))])
    assert purge(stores.database)["traces"] == 1
    assert purge(stores.database)["traces"] == 0
    assert page(stores, failed=False) == [FIRST.reference]
    assert stores.traces.steps("OLD") == []


def test_what_strangers_did_is_bounded_and_the_newest_stay(stores: Stores):
    strangers = [(1000 - number, replace(FIRST, reference=f"S{number:03}")) for number in range(50)]
    stores.traces.write([*strangers, (5000, replace(FIRST, reference="ADA", user_id="ada"))])
    assert [stores.traces.trim(20, 25) for _ in range(3)] == [25, 5, 0]
    assert set(page(stores, failed=False)) == {f"S{number:03}" for number in range(30, 50)} | {"ADA"}


RECORDS = [(number, replace(FIRST, reference=f"R{number % 20:02}")) for number in range(100)]


def write(scene: Scene, subject: str, number: int) -> int:
    """Each of the crowd in another order."""
    turned = RECORDS[number:] + RECORDS[:number]
    scene.stores.traces.write(turned)
    return len(turned)


def test_many_write_of_the_same_attempts_at_once(scene: Scene, url: str, crowd: Crowd):
    assert crowd.all_do(write, url, scene, "") == [100] * SIZE
    assert sum(scene.stores.traces.steps(f"R{number:02}")[0].times for number in range(20)) == 100 * SIZE
