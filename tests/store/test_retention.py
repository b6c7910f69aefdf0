"""Who drops a partition: one alone reads it, while others seal, and nobody reads what cannot go."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import text, update

from authserver.protocol.audit import Event
from authserver.protocol.audit_seal import Digest
from authserver.store import partitions
from authserver.store.database import Database, connect
from authserver.store.models import SealRow
from authserver.store.partitions import TrailBusy
from authserver.store.sealed import Seal
from authserver.store.stores import Stores
from tests.tampering import unguarded

from .test_partitions import narrow, there, url, written
from .test_seals import HOUR_MS, drop, seal_all, sealed, word, write

__all__ = ["narrow", "url"]
HORIZON = text(
    "SELECT backend_xid, backend_xmin FROM pg_stat_activity JOIN pg_locks USING (pid)"
    " WHERE locktype = 'advisory' AND objid = :lock AND database = (SELECT oid FROM pg_database"
    " WHERE datname = current_database())"
)
WAITING = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = :lock AND NOT granted")


@pytest.fixture
def other(url: str) -> Iterator[Stores]:
    """Another process over the same database."""
    connected = connect(Flask("other"), url)
    yield Stores.over(connected)
    connected.close()


class Reader:
    """What is asked about each seal of which the events were read; it does something when it is asked first."""

    def __init__(self, meanwhile=lambda: None):
        self.asked: list[int] = []
        self._meanwhile = meanwhile

    def __call__(self, seal: Seal, found: Digest) -> str | None:
        self.asked.append(seal.number)
        if len(self.asked) == 1:
            self._meanwhile()
        return word(seal, found)

    def drop(self, stores: Stores) -> int:
        return stores.seals.drop(-HOUR_MS, None, self, Event("audit.dropped", "system"))


def test_of_all_that_would_drop_one_reads(stores: Stores, database: Database, other: Stores):
    written(stores, 3)
    seal_all(stores)
    first, *_ = there(database)
    late = Reader()
    reading = Reader(lambda: late.drop(other))
    assert reading.drop(stores) > 0
    assert late.asked == []
    assert first not in there(database)
    assert drop(other) > 0, "the next one's turn"


def test_while_one_reads_what_goes_another_seals(stores: Stores, other: Stores):
    names = written(stores, 2)
    seal_all(stores)

    def go_on() -> None:
        write(other, "meanwhile")
        assert seal_all(other) == 1

    dropped = Reader(go_on).drop(stores)
    assert dropped > 0
    assert sealed(stores) == [*names[dropped:], "meanwhile"]


def test_who_reads_what_goes_holds_up_no_vacuum(stores: Stores, database: Database):
    written(stores, 2)
    seal_all(stores)
    horizons: list[object] = []

    def look() -> None:
        with database.reading() as connection:
            horizons.extend(connection.execute(HORIZON, {"lock": partitions.RETIRING}).one())

    assert Reader(look).drop(stores) > 0
    assert horizons == [None, None]


def test_what_was_read_is_dropped_although_another_is_sealing(stores: Stores, database: Database, other: Stores):
    written(stores, 2)
    seal_all(stores)
    first, *_ = there(database)
    with ThreadPoolExecutor(1) as pool:
        with other.database.transaction() as connection:
            assert partitions.alone(connection)
            dropping = pool.submit(drop, stores)
            while not connection.scalar(WAITING, {"lock": partitions.LOCK}):
                assert not dropping.done()
        assert dropping.result() > 0
    assert first not in there(database)


@pytest.mark.parametrize("how", ["SELECT * FROM audit_events", "LOCK TABLE {} IN SHARE UPDATE EXCLUSIVE MODE"])
def test_nothing_is_read_of_a_partition_that_somebody_reads_or_vacuums_for_long(
    stores: Stores, database: Database, other: Stores, how: str, monkeypatch: pytest.MonkeyPatch
):
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("it waited for the lock")

    written(stores, 2)
    seal_all(stores)
    before, reading = there(database), Reader()
    with other.database.transaction() as connection:
        connection.execute(text(how.format(before[0].name)))
        monkeypatch.setattr(partitions, "_promptly", fail)  # nobody is to wait behind us
        with pytest.raises(TrailBusy):
            reading.drop(stores)
        monkeypatch.undo()
    assert reading.asked == []
    assert there(database) == before
    assert reading.drop(stores) > 0


def test_a_partition_stays_of_which_a_seal_was_marked_while_it_was_read(
    stores: Stores, database: Database, other: Stores
):
    """As a node of the version before would, that does not ask who reads."""
    names = written(stores, 2)
    seal_all(stores)
    before = there(database)

    def mark() -> None:
        with other.database.transaction() as connection, unguarded(connection):
            connection.execute(update(SealRow).where(SealRow.number == 1).values(dropped="by another"))

    assert Reader(mark).drop(stores) == 0
    assert there(database) == before
    assert sealed(stores) == names
