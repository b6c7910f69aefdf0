"""What was done to the trail behind the server's back is found."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import text

from authserver.keys.ports import Purpose
from authserver.protocol.alert import AlertKind
from authserver.protocol.audit_seal import SEAL_TYPE, Place
from authserver.services.trail.verification import Kind, Noted
from authserver.store.trail import TrailStore

from .conftest import EVERYTHING, Trail

B = "(SELECT id FROM audit_events WHERE name = 'b')"
C = "(SELECT id FROM audit_events WHERE name = 'c')"


def test_a_whole_trail_is_whole(sealed: Trail):
    walk = sealed.walk()
    assert list(walk.findings()) == []
    assert (walk.summary.seals, walk.summary.tail.rows) == (4, 0)
    assert walk.summary.events == len(sealed.names())


def test_an_empty_trail_is_whole(trail: Trail):
    trail.tamper("DELETE FROM audit_events", "DELETE FROM audit_seals")
    assert trail.wrong() == []


def test_the_unsealed_tail_is_told(sealed: Trail):
    sealed.write("f", "g")
    walk = sealed.walk()
    assert list(walk.findings()) == []
    assert walk.summary.tail.rows == 2
    assert walk.summary.tail.since_ms


@pytest.mark.parametrize(
    "column", ["name", "actor", "user_id", "client_id", "resource", "grant_id", "outcome", "address", "correlation_id"]
)
def test_a_changed_event_is_found(sealed: Trail, column: str):
    sealed.tamper(f"UPDATE audit_events SET {column} = 'x' WHERE name = 'b'")
    assert sealed.wrong() == [(Kind.EVENTS_CHANGED, 2)]


@pytest.mark.parametrize("change", ["at_ms = at_ms + 1", """detail = '{"note": "other"}'"""])
def test_a_changed_time_or_detail_is_found(sealed: Trail, change: str):
    sealed.tamper(f"UPDATE audit_events SET {change} WHERE name = 'b'")
    assert sealed.wrong() == [(Kind.EVENTS_CHANGED, 2)]


@pytest.mark.parametrize("name", [*"abcde"])
def test_a_missing_event_is_found(sealed: Trail, name: str):
    sealed.tamper(f"DELETE FROM audit_events WHERE name = '{name}'")
    assert sealed.wrong() == [(Kind.EVENTS_MISSING, 2 if name in "abc" else 3 if name == "d" else 4)]


def test_an_added_event_is_found(sealed: Trail):
    columns = "at_ms, name, actor, outcome, address, correlation_id, detail"
    sealed.tamper(
        f"INSERT INTO audit_events (id, xid, {columns}) SELECT -id, xid, {columns} FROM audit_events WHERE name = 'd'"
    )
    [(kind, _)] = sealed.wrong()
    assert kind is Kind.EVENTS_ADDED


@pytest.mark.parametrize(("xid", "event_id"), [(-2, 1000), (-(2**63), 1000), (-2, -2)])
def test_an_event_before_all_that_the_server_counts_is_found(sealed: Trail, xid: int, event_id: int):
    sealed.tamper(
        "INSERT INTO audit_events (id, xid, at_ms, name, actor, outcome, address, correlation_id, detail)"
        f" VALUES ({event_id}, {xid}, 1, 'forged', 'system', 'success', '', '', '{{}}')"
    )
    assert sealed.wrong() == [(Kind.EVENTS_ADDED, 1)]


def test_two_events_that_changed_places_are_found(sealed: Trail):
    if sealed.database.dialect == "postgresql":
        swap = f"CASE name WHEN 'b' THEN {C} ELSE {B} END"
        places = "CASE name WHEN 'b' THEN (SELECT xid FROM audit_events WHERE name = 'c') ELSE"
        sealed.tamper(
            f"CREATE TEMPORARY TABLE swap AS SELECT name, {swap} AS id, {places}"
            " (SELECT xid FROM audit_events WHERE name = 'b') END AS xid FROM audit_events WHERE name IN ('b', 'c')",
            "UPDATE audit_events SET id = -id WHERE name IN ('b', 'c')",
            "UPDATE audit_events AS e SET id = swap.id, xid = swap.xid FROM swap WHERE e.name = swap.name",
        )
    else:
        sealed.tamper(
            f"CREATE TEMPORARY TABLE swap AS SELECT {B} AS b, {C} AS c",
            "UPDATE audit_events SET id = -id WHERE name IN ('b', 'c')",
            "UPDATE audit_events SET id = (SELECT c FROM swap) WHERE name = 'b'",
            "UPDATE audit_events SET id = (SELECT b FROM swap) WHERE name = 'c'",
        )
    assert sealed.wrong() == [(Kind.EVENTS_CHANGED, 2)]


def test_an_event_that_went_to_another_batch_is_found(sealed: Trail):
    sealed.tamper(
        "UPDATE audit_events SET id = id + 10 WHERE name = 'e'",
        "UPDATE audit_events SET id = (SELECT id - 1 FROM audit_events WHERE name = 'e'),"
        " xid = (SELECT xid FROM audit_events WHERE name = 'e') WHERE name = 'b'",
    )
    assert (Kind.EVENTS_MISSING, 2) in sealed.wrong()


def test_a_changed_seal_is_found(sealed: Trail):
    sealed.tamper("UPDATE audit_seals SET statement = statement || 'x' WHERE number = 3")
    assert sealed.wrong() == [(Kind.SEAL_CHANGED, 3)]


@pytest.mark.parametrize("column", ["rows", "from_ms", "to_ms", "sealed_at", "last_id", "last_xid"])
def test_a_column_that_differs_from_what_was_signed_is_found(sealed: Trail, column: str):
    sealed.tamper(f"UPDATE audit_seals SET {column} = {column} + 1 WHERE number = 4")
    assert (Kind.SEAL_CHANGED, 4) in sealed.wrong()


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_missing_seal_is_found(sealed: Trail, number: int):
    sealed.tamper(f"DELETE FROM audit_seals WHERE number = {number}")
    assert (Kind.SEAL_MISSING, number) in sealed.wrong()


def test_two_seals_that_changed_places_are_found(sealed: Trail):
    sealed.tamper(
        "UPDATE audit_seals SET number = -number WHERE number IN (2, 3)",
        "UPDATE audit_seals SET number = 3 WHERE number = -2",
        "UPDATE audit_seals SET number = 2 WHERE number = -3",
    )
    assert (Kind.SEAL_CHANGED, 2) in sealed.wrong()


def test_a_seal_signed_for_another_history_is_found(sealed: Trail):
    """Another server's seal, or one of a branch that was cut off, does not follow from the one before."""
    row = sealed.stores.seals.after(2, 1)[0]
    claims = sealed.keyring.read_own(row.signed, typ=SEAL_TYPE, purpose=Purpose.AUDIT)
    assert claims
    other = sealed.keyring.sign({**claims, "previous": "x" * 43}, typ=SEAL_TYPE, alg="ES256", purpose=Purpose.AUDIT)
    sealed.tamper(f"UPDATE audit_seals SET statement = '{other}' WHERE number = 3")
    assert sealed.wrong() == [(Kind.SEAL_CHANGED, 3), (Kind.SEAL_CHANGED, 4)]


@pytest.mark.parametrize("purpose", [Purpose.TOKENS, Purpose.STATUS])
def test_a_key_for_something_else_seals_nothing(sealed: Trail, purpose: Purpose):
    row = sealed.stores.seals.after(3, 1)[0]
    claims = sealed.keyring.read_own(row.signed, typ=SEAL_TYPE, purpose=Purpose.AUDIT)
    assert claims
    forged = sealed.keyring.sign(claims, typ=SEAL_TYPE, alg="ES256", purpose=purpose)
    sealed.tamper(f"UPDATE audit_seals SET statement = '{forged}' WHERE number = 4")
    assert sealed.wrong() == [(Kind.SEAL_CHANGED, 4)]


def test_what_was_cut_off_the_end_shows_by_a_noted_seal_and_by_a_target(sealed: Trail):
    walk = sealed.walk()
    list(walk.findings())
    noted = walk.summary.head
    assert noted
    assert sealed.stores.streams.claim("file", "me", 30)
    assert (head := sealed.stores.seals.head())
    assert sealed.stores.streams.advance("file", "me", head.last)
    sealed.tamper("DELETE FROM audit_events WHERE name = 'e'", "DELETE FROM audit_seals WHERE number = 4")
    assert sealed.wrong() == [(Kind.SEAL_MISSING, 4)]
    assert sealed.wrong(noted) == [(Kind.SEAL_MISSING, 4)] * 2
    assert sealed.wrong(Noted(3, "x" * 43))[0] == (Kind.SEAL_CHANGED, 3)


def test_what_retention_took_is_told_and_not_wrong(sealed: Trail):
    drop_all(sealed)
    sealed.seal()
    walk = sealed.walk()
    assert list(walk.findings()) == []
    assert (walk.summary.dropped_seals, walk.summary.seals) == (3, 5)
    assert walk.summary.dropped_events >= 4
    assert walk.summary.dropped_to_ms
    assert sealed.names() == ["e", "audit.dropped"]


def test_events_that_were_dropped_by_another_hand_are_found(sealed: Trail):
    sealed.tamper("DELETE FROM audit_events WHERE name = 'd'", "UPDATE audit_seals SET dropped = 'x' WHERE number = 3")
    assert sealed.wrong() == [(Kind.EVENTS_MISSING, 3)]


def test_the_word_of_one_drop_is_none_of_another(sealed: Trail):
    drop_all(sealed)
    word = "(SELECT dropped FROM audit_seals WHERE number = 2)"
    sealed.tamper(f"UPDATE audit_seals SET dropped = {word} WHERE number = 3")
    assert sealed.wrong() == [(Kind.EVENTS_MISSING, 3)]


def test_an_event_that_came_back_after_its_drop_is_found(sealed: Trail):
    drop_all(sealed)
    columns = "at_ms, name, actor, outcome, address, correlation_id, detail"
    sealed.tamper(f"INSERT INTO audit_events (id, xid, {columns}) SELECT 0, 0, {columns} FROM audit_events LIMIT 1")
    assert sealed.wrong() == [(Kind.EVENTS_ADDED, 1)]


@pytest.mark.parametrize(
    "tampering",
    [
        "DELETE FROM audit_events WHERE name = 'd'",
        "UPDATE audit_events SET actor = 'x' WHERE name = 'd'",
        "UPDATE audit_seals SET statement = statement || 'x' WHERE number = 3",
        "UPDATE audit_seals SET rows = rows + 1 WHERE number = 3",
    ],
)
def test_what_was_tampered_with_is_kept_by_retention_and_told(sealed: Trail, tampering: str):
    sealed.tamper(tampering)
    wrong = sealed.wrong()
    before = sealed.names()
    drop_all(sealed)
    assert sealed.wrong() == wrong
    assert sealed.names() == before[before.index("c") + 1 :]
    assert [(alert.kind, alert.detail["seal"]) for alert in sealed.alerts] == [(AlertKind.TRAIL_BROKEN, 3)]


def test_an_event_under_no_seal_is_kept_by_retention_and_told(sealed: Trail):
    sealed.tamper("UPDATE audit_events SET id = -id, xid = 0 WHERE name = 'd'")
    assert sealed.sealer(EVERYTHING).drop() == 0
    assert [alert.detail["seal"] for alert in sealed.alerts] == [1]


def test_retention_goes_on_behind_what_was_marked_by_hand_and_verification_tells_of_it(sealed: Trail):
    sealed.tamper("UPDATE audit_events SET actor = 'x' WHERE name = 'd'")
    sealed.seal("f")
    drop_all(sealed)
    with sealed.database.transaction() as connection:
        connection.execute(text("UPDATE audit_seals SET dropped = 'seen by Ann' WHERE number = 3"))
    drop_all(sealed)
    assert sealed.names()[:2] == ["d", "f"]
    assert sealed.wrong() == [(Kind.EVENTS_MISSING, 3), (Kind.EVENTS_ADDED, 3)]


def test_a_clock_that_goes_wrong_drops_nothing(sealed: Trail):
    with time_machine.travel(datetime.now(UTC) + timedelta(days=400)):
        assert sealed.sealer(365).drop() == 0
    assert sealed.alerts == []


def test_what_goes_while_it_is_verified_needs_retentions_word_too(sealed: Trail, monkeypatch: pytest.MonkeyPatch):
    events = TrailStore.events

    def late(*about):
        sealed.tamper(
            "DELETE FROM audit_events WHERE name = 'd'", "UPDATE audit_seals SET dropped = 'x' WHERE number = 3"
        )
        return events(*about)

    monkeypatch.setattr(TrailStore, "events", late)
    assert sealed.wrong() == [(Kind.EVENTS_MISSING, 3)]


def test_what_retention_takes_while_it_is_verified_is_not_wrong(sealed: Trail, monkeypatch: pytest.MonkeyPatch):
    events = TrailStore.events

    def late(*about):
        sealed.sealer(EVERYTHING).drop()
        return events(*about)

    monkeypatch.setattr(TrailStore, "events", late)
    walk = sealed.walk()
    assert list(walk.findings()) == []
    assert walk.summary.dropped_seals == 3


def test_seals_of_retired_and_withdrawn_keys_stay_good(sealed: Trail):
    sealed.rotation().rotate()
    sealed.seal("f")
    sealed.rotation().replace_all()
    sealed.seal("g")
    assert sealed.wrong() == []


def test_pages_of_events_and_of_seals_make_no_difference(trail: Trail, monkeypatch):
    monkeypatch.setattr("authserver.store.trail.PAGE", 2)
    for name in "abcdefg":
        trail.seal(name, name)
    walk = trail.walk()
    seals = trail.stores.seals
    monkeypatch.setattr(type(seals), "after", _paged(type(seals).after, 3))
    assert list(walk.findings()) == []
    assert walk.summary.events == len(trail.names())
    assert walk.summary.seals == 8


def test_a_place_is_compared_by_transaction_first():
    assert Place(1, 9) < Place(2, 1)


def _paged(after, size: int):
    return lambda self, number, limit=size: after(self, number, min(limit, size))


def drop_all(trail: Trail) -> None:
    """Retention takes all but the newest batch."""
    assert trail.sealer(EVERYTHING).drop()
