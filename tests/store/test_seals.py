"""Sealing: every event once, in the order that no late commit can disturb."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DatabaseError

from authserver.protocol.audit import Event
from authserver.protocol.audit_seal import START, Digest, Place, Statement, seal_digest
from authserver.store import migrate
from authserver.store.audit import record
from authserver.store.database import Database, connect
from authserver.store.models import AuditRow, SealRow
from authserver.store.sealed import Seal
from authserver.store.seals import TrailMoved
from authserver.store.stores import Stores
from authserver.store.trail import unhurried
from tests.sealing import wait_until_finished
from tests.tampering import unguarded

FAR = Place(2**62, 2**62)
HOUR_MS = 3_600_000


def signed(stated: Statement) -> str:
    return f"signed {stated.number} {stated.previous} {stated.digest}"


def word(seal: Seal, found: Digest) -> str | None:
    return f"dropped {seal.number}" if seal.signed.endswith(f" {found.value()}") else None


def write(stores: Stores, *names: str) -> None:
    for name in names:
        stores.audit.write(Event(name, "system"))


def seal_all(stores: Stores, most: int = 1000) -> int:
    wait_until_finished(stores.database)
    total = 0
    while count := stores.seals.seal(signed, most):
        total += count
    return total


def sealed(stores: Stores) -> list[str]:
    head = stores.seals.head()
    return [each.event.name for each in stores.trail.events(START, head.last)] if head else []


def drop(stores: Stores, age_ms: int = -HOUR_MS, until: Place | None = None) -> int:
    return stores.seals.drop(age_ms, until, word, Event("audit.dropped", "system"))


def test_every_event_is_sealed_once_in_numbered_batches(stores: Stores):
    write(stores, *"abcde")
    wait_until_finished(stores.database)
    assert [stores.seals.seal(signed, 2) for _ in range(4)] == [2, 2, 1, 0]
    seals = stores.seals.after(0)
    assert [(seal.number, seal.rows) for seal in seals] == [(1, 2), (2, 2), (3, 1)]
    assert sealed(stores) == [*"abcde"]


def test_a_seal_names_the_digest_of_the_one_before(stores: Stores):
    seen: list[Statement] = []

    def sign(stated: Statement) -> str:
        seen.append(stated)
        return signed(stated)

    write(stores, *"abc")
    wait_until_finished(stores.database)
    while stores.seals.seal(sign, 1):
        pass
    first, second, _ = stores.seals.after(0)
    assert [stated.previous for stated in seen] == ["", seal_digest(first.signed), seal_digest(second.signed)]


def test_nothing_new_is_not_sealed(stores: Stores):
    write(stores, "a")
    assert seal_all(stores) == 1
    assert seal_all(stores) == 0
    assert len(stores.seals.after(0)) == 1


def test_events_that_cannot_be_signed_for_stay_for_the_next_time(stores: Stores):
    def refuse(stated: Statement) -> str:
        raise LookupError(stated.number)

    write(stores, "a")
    wait_until_finished(stores.database)
    with pytest.raises(LookupError):
        stores.seals.seal(refuse)
    assert stores.seals.head() is None
    assert seal_all(stores) == 1


def test_any_number_of_sealers_seal_each_event_once(stores: Stores, url: str):
    others = [connect(Flask(str(number)), url) for number in range(4)]
    crowd = [Stores.over(other) for other in others]

    def work(one: Stores) -> int:
        total = 0
        for number in range(25):
            write(one, f"event.{number}")
            total += one.seals.seal(signed, 3)
        return total

    with ThreadPoolExecutor(4) as pool:
        total = sum(pool.map(work, crowd))
    total += seal_all(stores)
    assert total == 100
    assert sum(seal.rows for seal in stores.seals.after(0)) == 100
    assert len(sealed(stores)) == 100
    for other in others:
        other.close()


def test_a_transaction_that_commits_late_is_not_skipped(stores: Stores, database: Database, url: str):
    if database.dialect != "postgresql":
        pytest.skip("SQLite has one writer at a time, so nothing commits late")
    late = connect(Flask("late"), url)
    with late.transaction() as connection:
        record(connection, Event("late", "system"))
        write(stores, "early")
        assert stores.seals.seal(signed) == 0
    write(stores, "after")
    assert seal_all(stores) == 3
    assert sorted(sealed(stores)) == ["after", "early", "late"]
    late.close()


def test_who_only_reads_holds_nothing_up(stores: Stores, database: Database):
    with database.reading() as connection:
        connection.execute(text("SELECT count(*) FROM audit_events"))
        write(stores, "a")
        assert seal_all(stores) == 1


def test_while_one_seals_another_does_not_wait(stores: Stores, database: Database, url: str):
    if database.dialect != "postgresql":
        pytest.skip("on SQLite the second writer waits for its turn")
    other = connect(Flask("other"), url)
    write(stores, "a")
    wait_until_finished(stores.database)

    def sign(stated: Statement) -> str:
        assert Stores.over(other).seals.seal(signed) == 0
        return signed(stated)

    assert stores.seals.seal(sign) == 1
    other.close()


@pytest.mark.parametrize(
    "statement",
    [
        update(AuditRow).values(actor="somebody else"),
        delete(AuditRow),
        update(SealRow).values(rows=7),
        update(SealRow).values(statement="forged"),
        update(SealRow).values(dropped="gone", rows=7),
        delete(SealRow),
    ],
)
def test_neither_events_nor_seals_can_be_changed(stores: Stores, database: Database, statement):
    write(stores, "a")
    seal_all(stores)
    with pytest.raises(DatabaseError, match="append-only"), database.transaction() as connection:
        connection.execute(statement)
    assert sealed(stores) == ["a"]


def test_the_trail_cannot_be_emptied_at_once(stores: Stores, database: Database):
    if database.dialect != "postgresql":
        pytest.skip("SQLite has no TRUNCATE")
    for table in ("audit_events", "audit_seals"):
        with pytest.raises(DatabaseError, match="append-only"), database.transaction() as connection:
            connection.execute(text(f"TRUNCATE {table}"))


def test_retention_drops_whole_batches_and_keeps_their_seals(stores: Stores):
    write(stores, *"abcdef")
    seal_all(stores, 2)
    assert drop(stores) == 4
    assert sealed(stores) == ["e", "f"]
    seals = stores.seals.after(0)
    assert [seal.dropped for seal in seals] == ["dropped 1", "dropped 2", None]
    seal_all(stores)
    *_, event = [each.event for each in stores.trail.events(START, FAR)]
    assert (event.name, event.detail) == ("audit.dropped", {"seals": [1, 2], "rows": 4})


def test_retention_stops_before_a_batch_that_was_tampered_with(stores: Stores, database: Database):
    write(stores, *"abcdef")
    seal_all(stores, 2)
    with database.transaction() as connection, unguarded(connection):
        connection.execute(delete(AuditRow).where(AuditRow.name == "d"))
    assert [drop(stores), drop(stores)] == [2, 0]
    assert sealed(stores) == ["c", "e", "f"]


def test_retention_keeps_what_is_young_and_what_a_target_waits_for(stores: Stores):
    write(stores, *"abcd")
    seal_all(stores, 1)
    first, second, *_ = stores.seals.after(0)
    assert drop(stores, age_ms=HOUR_MS) == 0
    assert drop(stores, until=first.last) == 1
    assert drop(stores, until=Place(second.last.xid, second.last.id - 1)) == 0
    assert sealed(stores) == ["b", "c", "d"]


def test_events_that_are_written_after_a_drop_are_sealed_too(stores: Stores):
    write(stores, *"abc")
    seal_all(stores)
    write(stores, "d")
    seal_all(stores)
    drop(stores)
    write(stores, "e")
    assert seal_all(stores) == 2
    assert sealed(stores) == ["d", "audit.dropped", "e"]


def test_events_of_an_older_schema_are_sealed_first(fresh_database_url: str):
    migrate.upgrade(fresh_database_url)
    migrate.downgrade(fresh_database_url, "0006")
    database = connect(Flask("older"), fresh_database_url)
    older = "INSERT INTO audit_events (at_ms, name, actor, outcome, address, correlation_id, detail)"
    with database.transaction() as connection:
        connection.execute(text(f"{older} VALUES (1, 'old', 'system', 'success', '', '', '{{}}')"))
    migrate.upgrade(fresh_database_url)
    stores = Stores.over(database)
    write(stores, "new")
    assert seal_all(stores) == 2
    assert sealed(stores) == ["old", "new"]
    database.close()


def forged_head(stores: Stores, database: Database) -> Seal:
    """As after a dump was restored: what is sealed was counted from far above."""
    with database.transaction() as connection, unguarded(connection):
        connection.execute(update(AuditRow).values(xid=AuditRow.xid + 10**9))
        connection.execute(update(SealRow).values(last_xid=SealRow.last_xid + 10**9))
    head = stores.seals.head()
    assert head
    return head


def test_a_restored_database_says_so_and_goes_on_behind_what_was_sealed(fresh_database_url: str):
    migrate.upgrade(fresh_database_url)
    database = connect(Flask("restored"), fresh_database_url)
    if database.dialect != "postgresql":
        database.close()
        pytest.skip("SQLite counts no transactions")
    stores = Stores.over(database)
    write(stores, "a")
    seal_all(stores)
    head = forged_head(stores, database)
    with pytest.raises(TrailMoved, match="audit resume"):
        stores.seals.seal(signed)
    assert stores.seals.resume(Event("audit.resumed", "system"))
    assert not stores.seals.resume(Event("audit.resumed", "system"))
    write(stores, "b")
    assert seal_all(stores) == 2
    assert sealed(stores) == ["a", "audit.resumed", "b"]
    with database.reading() as connection:
        assert connection.scalar(select(AuditRow.xid).where(AuditRow.name == "b")) > head.last.xid
    database.close()


def test_sealing_lets_other_threads_go_first_where_it_holds_up_no_writer(
    database: Database, monkeypatch: pytest.MonkeyPatch
):
    rests: list[float] = []
    monkeypatch.setattr("authserver.store.trail.time.sleep", rests.append)
    with database.reading() as connection:
        assert list(unhurried(connection, range(100))) == [*range(100)]
    assert rests == ([] if database.dialect == "sqlite" else [0, 0, 0])
