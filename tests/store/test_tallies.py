"""What the overview draws: counted once each, by whoever seals, and never by looking at the trail again."""

import re
import time
from collections.abc import Callable

import pytest
from sqlalchemy import func, insert, select, text, update

from authserver.store import migrate
from authserver.store.database import Database
from authserver.store.engine import create
from authserver.store.models import CensusRow, TallyRow, ToolHourRow
from authserver.store.overview import MOST, overview, waiting
from authserver.store.stores import Stores
from authserver.store.tallies import DAYS, FRESH_SECONDS, HOURS, Census, Series
from tests.sealing import wait_until_finished

from .scene import EVENT, Scene, a_client
from .test_plans import noted, plans, scans
from .test_seals import seal_all, signed, write

NAMES = ("sign_in.succeeded", "sign_in.failed", "token.refreshed", "token.issued", "code.redeemed", "client.added")

EVENT_ROW = (
    "INSERT INTO audit_events (at_ms, name, actor, outcome, address, correlation_id, detail) "
    "VALUES (:at, :name, 'system', 'success', '', '', '{}')"
)
SEAL_ROW = "INSERT INTO audit_seals VALUES (1, :last_xid, :last_id, 3, 0, 0, 0, 's', NULL)"
CLIENT = (
    "INSERT INTO clients (client_id, kind, name, redirect_uris, auth_method, grant_types, metadata, created_at) "
    """VALUES ('c', 'metadata_document', 'N', '["http://localhost/a", "app:/b"]', 'none', '', """
    """'{"held_document": "x"}', 1), """
    """('d', 'metadata_document', 'N', '[]', 'none', '', '{"client_uri": "\\"held_document\\": \\""}', 1)"""
)


def of(figures: dict[Series, tuple[int, ...]]) -> dict[str, int]:
    return {series: sum(each) for series, each in figures.items()}


def test_events_are_counted_when_they_are_sealed_and_once(stores: Stores):
    write(stores, *NAMES, "key.rotated", "sign_in.failed")
    assert of(stores.tallies.hours()[1]) == dict.fromkeys(Series, 0)
    assert seal_all(stores, 3) == len(NAMES) + 2
    counted = {"sign_ins": 1, "failures": 2, "tokens": 3, "clients": 1, "calls": 0}
    assert of(stores.tallies.hours()[1]) == counted
    assert of(stores.tallies.days()[1]) == counted
    assert stores.seals.seal(signed) == 0
    assert of(stores.tallies.hours()[1]) == counted


def test_what_cannot_be_sealed_is_not_counted(stores: Stores):
    write(stores, *NAMES)
    wait_until_finished(stores.database)
    with pytest.raises(ZeroDivisionError):
        stores.seals.seal(lambda _: str(1 // 0))
    assert of(stores.tallies.hours()[1]) == dict.fromkeys(Series, 0)


def test_hours_and_days_stand_at_their_places(stores: Stores, database: Database):
    hour = stores.tallies.hours()[0]
    for back in (0, 1, 23, 24, 24 * 29, 24 * 31):
        with database.transaction() as connection:
            connection.execute(insert(TallyRow).values(series="tokens", hour=hour - back, times=1 + back))
    hours, days = stores.tallies.hours()[1][Series.TOKENS], stores.tallies.days()[1][Series.TOKENS]
    assert (len(hours), len(days)) == (HOURS, DAYS)
    assert (hours[-1], hours[-2], hours[0]) == (1, 2, 24)
    assert sum(hours) == 27, "what is older than 24 hours is none of it"
    assert sum(days) == 27 + 25 + 24 * 29 + 1
    assert days[0] == 24 * 29 + 1


def test_tool_calls_are_summed_up_and_receipts_that_come_late_are_counted(stores: Stores, database: Database):
    hour = int(time.time()) // 3600
    calls = {"resource": "r", "hour": hour - 5, "refused": 0}
    with database.transaction() as connection:
        connection.execute(insert(ToolHourRow), [{**calls, "tool": tool, "calls": 4} for tool in "ab"])
    assert stores.tallies.recount()
    assert stores.tallies.hours()[1][Series.CALLS][-6] == 8
    with database.transaction() as connection:
        connection.execute(update(ToolHourRow).values(calls=5))
        connection.execute(update(CensusRow).values(counted_at=CensusRow.counted_at - FRESH_SECONDS))
    assert stores.tallies.recount()
    assert stores.tallies.hours()[1][Series.CALLS][-6] == 10


def test_of_all_processes_one_counts_in_a_minute(stores: Stores, scene: Scene):
    scene.approve()
    assert [stores.tallies.recount() for _ in range(3)] == [True, False, False]
    assert stores.tallies.census() == {Census.GRANTS: 1, Census.CLIENTS: 1}


@pytest.mark.parametrize("counts", [lambda stores: stores.tallies.recount(), lambda stores: overview(stores.database)])
def test_what_is_many_is_counted_by_indexes_that_hold_the_living_alone(
    stores: Stores, database: Database, counts: Callable[[Stores], object]
):
    with noted(database) as executed:
        assert counts(stores)
    steps = [step for step in plans(database, executed) if "clients" in step or "grants" in step]
    way = {"postgresql": "Index Only Scan using", "sqlite": "USING INDEX"}[database.dialect]
    named = re.findall(rf"{way} (ix_clients_live\b|ix_grants_live\w*)", " ".join(steps))
    assert len(set(named)) == 2
    assert [step for step in scans(steps) if "USING INDEX" not in step] == []


def test_what_is_no_longer_shown_is_forgotten(stores: Stores, database: Database):
    with database.transaction() as connection:
        connection.execute(insert(TallyRow).values(series="tokens", hour=1, times=1))
    stores.tallies.recount()
    with database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(TallyRow)) == 0


def test_of_what_there_is_much_the_overview_says_what_was_counted_last(stores: Stores, scene: Scene):
    scene.approve()
    stores.tallies.recount()
    assert (overview(stores.database).grants, overview(stores.database).clients) == (1, 1)
    with stores.database.transaction() as connection:
        connection.execute(update(CensusRow).where(CensusRow.name == "grants").values(number=MOST + 5))
    assert (overview(stores.database).grants, overview(stores.database).clients) == (MOST + 5, 1)


def test_what_waits_is_counted_by_indexes_that_hold_nothing_else(stores: Stores, database: Database):
    stores.clients.register(a_client(client_id="a", pending=True), EVENT)
    held = a_client(client_id="b", metadata={"held_document": "x"})
    stores.clients.preregister(held, EVENT)
    with noted(database) as executed:
        found = waiting(database)
    assert (found.approvals, found.documents, found.alerts, found.attempts, found.unused) == (1, 1, 0, 0, 2)
    assert [step for step in scans(plans(database, executed)) if "USING INDEX" not in step] == []


def test_the_newest_unsealed_event_is_found_by_index(stores: Stores, database: Database):
    write(stores, "a", "b")
    assert seal_all(stores) == 2
    last = stores.seals.head().last
    assert stores.trail.first_behind(last) is None
    write(stores, "c")
    with noted(database) as executed:
        assert stores.trail.first_behind(last).for_ms < 60_000
    assert scans(plans(database, executed)) == []


def test_what_was_sealed_before_this_schema_is_counted_by_its_migration(fresh_database_url: str):
    migrate.upgrade(fresh_database_url, "0009")
    now = int(time.time() * 1000)
    before = ((now, "token.refreshed"), (now, "key.rotated"), (now - 40 * 86_400_000, "token.issued"))
    engine = create(fresh_database_url)
    with engine.begin() as connection:
        connection.execute(text(EVENT_ROW), [{"at": at, "name": name} for at, name in before])
        last = connection.execute(text("SELECT xid, id FROM audit_events ORDER BY id DESC LIMIT 1")).one()
        connection.execute(text(SEAL_ROW), {"last_xid": last.xid, "last_id": last.id})
        connection.execute(text("INSERT INTO tool_hours VALUES ('r', 't', 9, 7, 0)"))
        connection.execute(text(CLIENT))
    with engine.begin() as connection:
        connection.execute(text(EVENT_ROW), {"at": now, "name": "token.refreshed"})
    migrate.upgrade(fresh_database_url)
    with engine.begin() as connection:
        found = connection.execute(text("SELECT series, hour, times FROM tallies ORDER BY series")).all()
        likeness = connection.execute(text("SELECT likeness FROM clients WHERE client_id = 'c'")).scalar_one()
        held = connection.execute(text("SELECT client_id FROM clients WHERE held_since IS NOT NULL")).scalars().all()
    engine.dispose()
    assert [tuple(row) for row in found] == [("calls", 9, 7), ("tokens", now // 3_600_000, 1)]
    assert held == ["c"]
    assert likeness == a_client(name="N", redirect_uris=("app:/b", "http://localhost:2/c")).likeness
