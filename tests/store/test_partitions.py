"""The partitions of the audit trail on PostgreSQL: made ahead, dropped whole, and never in anybody's way."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import pairwise

import pytest
from flask import Flask
from sqlalchemy import delete, select, text

from authserver.protocol.audit_seal import START
from authserver.store import partitions, retention
from authserver.store.audit import AuditFilter
from authserver.store.database import Database, connect
from authserver.store.models import AuditRow
from authserver.store.partitions import Partition, TrailBusy
from authserver.store.stores import Stores
from tests.database import Databases
from tests.sealing import wait_until_finished
from tests.tampering import unguarded

from .test_plans import noted, plans
from .test_seals import drop, seal_all, sealed, signed, write

DAY = 86_400
WIDTH = 1024


@pytest.fixture
def url(apart: tuple[Databases, str]) -> Iterator[str]:
    """A database of the test's own: partitions stay when its rows are gone."""
    databases, template = apart
    created = databases.create(template)
    yield created
    databases.drop(created)


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Partitions of not too many transactions."""
    for name in ("LEAST", "MOST", "MARGIN"):
        monkeypatch.setattr(partitions, name, WIDTH)
    monkeypatch.setattr(partitions, "NEAR", WIDTH // 4)


def there(database: Database) -> list[Partition]:
    with database.reading() as connection:
        return partitions.partitions(connection)


def pairwise_bounds(database: Database) -> list[tuple[int, int | None]]:
    """Where each partition ends, and where the next one begins."""
    return [(one.end, other.begin) for one, other in pairwise(there(database))]


def let_pass(database: Database, transactions: int) -> None:
    """Have so many transactions write elsewhere."""
    each = "PERFORM pg_current_xact_id(); COMMIT;"
    with database.reading() as connection:
        connection.execute(text(f"DO $$ BEGIN FOR i IN 1..{transactions} LOOP {each} END LOOP; END $$"))


def written(stores: Stores, count: int) -> list[str]:
    """So many partitions more, filled with events; their names, of all that were written, in order."""
    names: list[str] = []
    stores.seals.make_room(DAY)
    until = len(there(stores.database)) + count
    while len(there(stores.database)) < until:
        more = [f"event.{len(names) + number}" for number in range(4)]
        write(stores, *more)
        names += more
        let_pass(stores.database, WIDTH // 4)
        stores.seals.make_room(DAY)
    return names


def written_past_all(stores: Stores) -> list[str]:
    """Events until one has no partition; their names."""
    names: list[str] = []
    while not names or in_rest(stores.database) == 0:
        names.append(f"event.{len(names)}")
        write(stores, names[-1])
        let_pass(stores.database, WIDTH // 2)
    return names


def in_rest(database: Database) -> int:
    """How many events have none."""
    with database.reading() as connection:
        return int(connection.scalar(text(f"SELECT count(*) FROM {partitions.REST}")) or 0)  # noqa: S608


def test_there_is_always_a_partition_that_nothing_has_come_to_yet(stores: Stores, database: Database):
    write(stores, "before")
    written(stores, 3)
    assert there(database)[0].begin is None
    assert all(end == begin for end, begin in pairwise_bounds(database))
    newest = there(database)[-1]
    with database.reading() as connection:
        assert (connection.scalar(partitions.NEXT) or 0) < (newest.begin or 0)
        assert connection.scalar(text(f"SELECT count(*) FROM {newest.name}")) == 0  # noqa: S608
        assert connection.scalar(text(f"SELECT count(*) FROM {partitions.REST}")) == 0  # noqa: S608


def test_the_trail_is_one_whatever_partitions_its_events_lie_in(stores: Stores):
    names = written(stores, 2)
    assert seal_all(stores) == len(names)
    assert sealed(stores) == names
    page = stores.audit.page(AuditFilter(), None, 100)
    assert [line.event.name for line in page.lines] == names[::-1]


def test_no_seal_holds_events_of_two_partitions(stores: Stores, database: Database):
    written(stores, 2)
    seal_all(stores)
    after, bounds = START, [each.end for each in there(database)]
    for seal in stores.seals.after(0):
        xids = [each.place.xid for each in stores.trail.events(after, seal.last)]
        assert len({sum(bound <= xid for bound in bounds) for xid in xids}) == 1
        after = seal.last


def test_retention_drops_whole_partitions_and_keeps_their_seals(stores: Stores, database: Database):
    names = written(stores, 2)
    seal_all(stores)
    first, second, *_ = there(database)
    dropped = drop(stores)
    assert first not in there(database)
    assert second in there(database)
    assert sealed(stores) == names[dropped:]
    said = [seal.dropped for seal in stores.seals.after(0)]
    assert said[0] == "dropped 1"
    assert said[-1] is None
    seal_all(stores)
    head = stores.seals.head()
    assert head
    *_, event = [each.event for each in stores.trail.events(START, head.last)]
    assert event.detail == {"seals": [1, sum(each is not None for each in said)], "rows": dropped}


def test_a_partition_with_an_event_that_was_tampered_with_stays(stores: Stores, database: Database):
    names = written(stores, 2)
    seal_all(stores, 2)
    with database.transaction() as connection, unguarded(connection):
        connection.execute(delete(AuditRow).where(AuditRow.name == names[3]))
    before = there(database)
    assert [drop(stores), drop(stores)] == [2, 0]
    assert there(database) == before
    assert sealed(stores) == [names[2], *names[4:]]


def test_events_wait_for_their_partition_if_it_goes_soon(
    stores: Stores, database: Database, monkeypatch: pytest.MonkeyPatch
):
    names = written(stores, 2)
    seal_all(stores, 1)
    second = stores.seals.after(0)[1]
    just_after = second.to_ms + 1  # whatever the clock says by now
    monkeypatch.setattr(retention.Old, "than", lambda database, *rest: retention.Old(just_after, *rest))
    before = there(database)
    monkeypatch.setattr(retention, "PATIENCE", 1)
    assert drop(stores, age_ms=60_000) == 0
    monkeypatch.setattr(retention, "PATIENCE", 10**6)
    assert drop(stores, age_ms=60_000) >= 1
    assert sealed(stores)[-1] == names[-1]
    assert there(database) == before


def test_events_do_not_wait_for_a_partition_that_still_fills(stores: Stores, database: Database):
    stores.seals.make_room(DAY)
    write(stores, "a", "b")
    seal_all(stores, 1)
    before = there(database)
    assert drop(stores) == 1
    assert sealed(stores) == ["b"]
    assert there(database) == before


def test_a_partition_that_is_empty_goes_when_it_is_finished(stores: Stores, database: Database):
    written(stores, 2)
    seal_all(stores, 1)
    first, *_ = there(database)
    with database.transaction() as connection, unguarded(connection):
        connection.execute(delete(AuditRow).where(AuditRow.xid < first.end))
    stores.seals.make_room(DAY)
    assert first not in there(database)


def test_events_that_have_no_partition_are_kept_all_the_same(stores: Stores, database: Database):
    stores.seals.make_room(DAY)
    *_, newest = there(database)
    names = written_past_all(stores)
    stores.seals.make_room(DAY)
    assert (there(database)[-1].begin or 0) > newest.end
    names += written(stores, 2)
    seal_all(stores)
    assert sealed(stores) == names
    while drop(stores):
        pass
    assert in_rest(database) == 0


def test_any_number_of_nodes_make_each_partition_once(
    stores: Stores, database: Database, url: str, monkeypatch: pytest.MonkeyPatch
):
    wide = 32 * WIDTH  # so that what the others get through while one makes a partition is little
    for name in ("LEAST", "MOST", "MARGIN"):
        monkeypatch.setattr(partitions, name, wide)
    monkeypatch.setattr(partitions, "NEAR", wide // 4)
    others = [connect(Flask(str(number)), url) for number in range(4)]
    crowd = [Stores.over(other) for other in others]

    def work(one: Stores) -> None:
        for _ in range(10):
            write(one, "event")
            with suppress(TrailBusy):  # then another makes it
                one.seals.make_room(DAY)

    with ThreadPoolExecutor(4) as pool:
        for _ in range(4):
            list(pool.map(work, crowd))
            let_pass(database, wide // 2)
    assert len(there(database)) > 2
    assert all(end <= (begin or 0) for end, begin in pairwise_bounds(database))
    seal_all(stores)
    assert sealed(stores) == ["event"] * 160
    for other in others:
        other.close()


def test_a_partition_that_would_come_too_late_is_begun_further_on(stores: Stores, database: Database):
    stores.seals.make_room(DAY)
    *_, newest = there(database)
    with database.reading() as connection:
        let_pass(database, newest.end - (connection.scalar(partitions.NEXT) or 0) - WIDTH // 8)
    stores.seals.make_room(DAY)
    assert (there(database)[-1].begin or 0) > newest.end


@pytest.fixture
def reader(database: Database, url: str) -> Iterator[None]:
    """Somebody who reads the trail for long."""
    other = connect(Flask("reader"), url)
    with other.transaction() as connection:
        connection.execute(select(AuditRow)).all()
        yield
    other.close()


def test_who_is_overtaken_by_events_is_told_so_and_has_made_nothing(
    stores: Stores, database: Database, monkeypatch: pytest.MonkeyPatch
):
    stores.seals.make_room(DAY)
    written_past_all(stores)
    write(stores, "came meanwhile")
    before = there(database)
    monkeypatch.setattr(partitions, "MARGIN", -3)  # as if that had come after it was reckoned where to begin
    with pytest.raises(TrailBusy, match="events came to where the next partition"):
        stores.seals.make_room(DAY)
    assert there(database) == before


def test_while_somebody_reads_for_long_partitions_wait_and_events_do_not(
    stores: Stores, database: Database, reader: None
):
    with pytest.raises(TrailBusy):
        stores.seals.make_room(DAY)
    write(stores, "event")
    assert there(database) == []


def test_what_is_to_be_sealed_is_looked_for_in_the_newest_partitions_only(stores: Stores, database: Database):
    written(stores, 3)
    seal_all(stores)
    write(stores, "new")
    wait_until_finished(database)
    with noted(database) as executed:
        stores.seals.seal(signed)
    read = [each for each in executed if "FROM audit_events" in each[0]]
    plan = " ".join(plans(database, read))
    names = [each.name for each in there(database)]
    assert any(name in plan for name in names[-3:])
    assert not any(name in plan for name in names[:-3])


def test_a_partition_cannot_be_emptied_past_the_trail(stores: Stores, database: Database):
    written(stores, 1)
    for name in [each.name for each in there(database)]:
        for statement in (f"TRUNCATE {name}", f"DELETE FROM {name}"):  # noqa: S608
            with database.transaction() as connection:
                connection.execute(text("SAVEPOINT before"))
                if connection.scalar(text(f"SELECT count(*) FROM {name}")):  # noqa: S608
                    with pytest.raises(Exception, match="append-only"):
                        connection.execute(text(statement))
                connection.execute(text("ROLLBACK TO before"))
