"""Retention of the audit trail: the events of old batches go, and their seals stay.

What goes is read first, and held against its seals. On PostgreSQL it goes by whole partitions, which takes no longer
the more events there are, and leaves nothing to vacuum. Batches of which the partition stays for long yet, and all of
SQLite's, are deleted a few at a time.

One process at a time reads and drops, by the lock of a transaction that rests meanwhile and drops in the end. Others
seal while it reads, for a partition can take minutes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, select, update

from ..protocol.audit import Event
from ..protocol.audit_seal import START, Events, Place
from . import partitions
from .audit import record
from .clock import now_in_milliseconds
from .database import Database
from .models import AuditRow, SealRow
from .partitions import Partition
from .sealed import STANDING, Seal, Word, last_before, newest, oldest
from .trail import PAGE, TrailStore, beyond, read, up_to

EVENTS_PER_DROP = 2000  # they are read, and on SQLite nobody else writes meanwhile
PATIENCE = 30  # of this part of the time for which events are kept, they may wait for their partition to go
MARK = update(SealRow).where(SealRow.number == bindparam("of"), STANDING).values(dropped=bindparam("spoken"))


@dataclass(frozen=True, slots=True)
class Old:
    """The events that are older than ``before_ms`` (Unix milliseconds), and up to a place, if there is one.

    ``word`` is asked about each seal, see `seals.SealStore.drop`.
    """

    before_ms: int
    age_ms: int
    until: Place | None
    word: Word

    @classmethod
    def than(cls, database: Database, age_ms: int, until: Place | None, word: Word) -> "Old":
        """What is older than *age_ms* (milliseconds) by the database's clock."""
        with database.reading() as connection:
            now_ms = connection.scalar(select(now_in_milliseconds)) or 0
        return cls(now_ms - age_ms, age_ms, until, word)

    def takes(self, seal: Seal) -> bool:
        """Whether the batch of *seal* is of it."""
        return seal.to_ms < self.before_ms and (self.until is None or seal.last <= self.until)

    def comes_to(self, seal: Seal) -> bool:
        """Whether the batch of *seal* soon will be."""
        return self.before_ms <= seal.to_ms <= self.before_ms + self.age_ms // PATIENCE


def drop(database: Database, old: Old, event: Event) -> int:
    """See `seals.SealStore.drop`."""
    with database.transaction() as connection:
        if not partitions.retires(connection):
            return 0
        with database.reading() as looking:
            partition, last = _oldest_finished(looking)
        if partition is None or last is None:
            return _drop_batches(connection, old, event)
        if old.comes_to(last):
            return 0
        if old.takes(last):
            partitions.try_out(database, partition)
            if said := _said_of(database, last, old):
                return _drop_partition(connection, partition, said, event)
        return _drop_batches(connection, old, event)


def _oldest_finished(connection: Connection) -> tuple[Partition | None, Seal | None]:
    """The partition of the oldest events that are kept, if nothing comes into it any more; its last seal."""
    head, standing = newest(connection), oldest(connection, 1, STANDING)
    if not head or not standing:
        return None, None
    for each in partitions.partitions(connection):
        if standing[0].last.xid < each.end <= head.last.xid:
            last = last_before(connection, each.end)
            if last is None or last.number < standing[0].number or not _begins(each, standing[0]):
                return None, None
            return (None, None) if _straddles(connection, each, last) else (each, last)
    return None, None


def _begins(partition: Partition, seal: Seal) -> bool:
    """Whether *seal* is of *partition* or before all, and not of the partition for the rest, which does not go."""
    return partition.begin is None or partition.begin <= seal.last.xid


def _straddles(connection: Connection, partition: Partition, last: Seal) -> bool:
    """Whether there are events in *partition* that are under a seal behind its last one."""
    return bool(read(connection, 1, beyond(last.last), AuditRow.xid < partition.end))


def _said_of(database: Database, last: Seal, old: Old) -> list[tuple[Seal, str]]:
    """What is said to each standing seal up to *last*; nothing if it is not said to all."""
    trail, said = TrailStore(database), list[tuple[Seal, str]]()
    with database.reading() as connection:
        standing = oldest(connection, PAGE, STANDING, SealRow.number <= last.number)
        after = _end_before(connection, standing)
    while standing:
        spoken = list(_spoken(standing, Events(trail.events(after, standing[-1].last)), old.word))
        if len(spoken) < len(standing):
            return []
        said += spoken
        after, number = standing[-1].last, standing[-1].number
        with database.reading() as connection:
            standing = oldest(connection, PAGE, SealRow.number > number, SealRow.number <= last.number)
    return said


def _drop_partition(
    connection: Connection, partition: Partition, said: Sequence[tuple[Seal, str]], event: Event
) -> int:
    partitions.await_turn(connection)
    if oldest(connection, 1, STANDING) != [said[0][0]]:
        return 0  # a node of before, which does not ask whether it may, has dropped some of it
    _mark(connection, said)
    dropped = _record(connection, said, event, sum(seal.rows for seal, _ in said))
    partitions.drop(connection, partition)
    return dropped


def _drop_batches(connection: Connection, old: Old, event: Event) -> int:
    partitions.await_turn(connection)
    head = newest(connection)
    going = _going(connection, head, old) if head else []
    after = _end_before(connection, going)
    most = sum(seal.rows for seal in going) + 1
    events = read(connection, most, beyond(after), up_to(going[-1].last)) if going else []
    said = list(_spoken(going, Events(events), old.word))
    if not said:
        return 0
    _mark(connection, said)
    rows = connection.execute(delete(AuditRow).where(beyond(after), up_to(said[-1][0].last))).rowcount
    return _record(connection, said, event, rows)


def _going(connection: Connection, head: Seal, old: Old) -> list[Seal]:
    """The seals to drop: the oldest that stand, as far as each fits."""
    going: list[Seal] = []
    for seal in oldest(connection, PAGE, STANDING):
        full = going and sum(each.rows for each in going) + seal.rows > EVENTS_PER_DROP
        if full or seal.number == head.number or not old.takes(seal):
            break
        going.append(seal)
    return going


def _end_before(connection: Connection, going: Sequence[Seal]) -> Place:
    """Where the batch before the first of *going* ended."""
    before = newest(connection, SealRow.number < going[0].number) if going else None
    return before.last if before else START


def _spoken(going: Sequence[Seal], events: Events, word: Word) -> Iterator[tuple[Seal, str]]:
    """*going*, and what *word* says to each, whose *events* are these, until it says nothing."""
    for seal in going:
        if (spoken := word(seal, events.digest(seal.last))) is None:
            return
        yield seal, spoken


def _mark(connection: Connection, said: Sequence[tuple[Seal, str]]) -> None:
    connection.execute(MARK, [{"of": seal.number, "spoken": spoken} for seal, spoken in said])


def _record(connection: Connection, said: Sequence[tuple[Seal, str]], event: Event, rows: int) -> int:
    numbers = [said[0][0].number, said[-1][0].number]
    record(connection, event.about(detail={**event.detail, "seals": numbers, "rows": rows}))
    return rows
