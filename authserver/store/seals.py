"""Seals of the audit trail: one process at a time puts a batch of finished events under a signed seal, or drops one."""

from collections.abc import Callable

from sqlalchemy import Connection, insert, select

from ..protocol.audit import Event
from ..protocol.audit_seal import START, Place, Recorded, Statement, seal_digest, statement
from . import partitions, retention
from .audit import record
from .clock import now
from .database import Database
from .models import SealRow
from .sealed import Seal, Word, newest, oldest
from .tallies import tally
from .trail import PAGE, beyond, count_on, counts_on_from, finished, read, unhurried

Sign = Callable[[Statement], str]


class TrailMoved(RuntimeError):
    """The database counts transactions from below its seals: it was restored from a dump."""


class SealStore:
    """Seals in the order of their numbers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def seal(self, sign: Sign, most: int = PAGE) -> int:
        """Seal the next *most* finished events at the most; returns how many. 0 too while another process seals.

        Each event is sealed once, by whatever number of sealers, and counted for the overview. Raises `TrailMoved`.
        """
        if not self._waits():
            return 0
        with self._database.transaction() as connection:
            if not partitions.alone(connection):
                return 0
            head = newest(connection)
            found = read(connection, most, beyond(head.last if head else START), finished(connection))
            batch = _of_one_partition(connection, found)
            if not batch:
                return 0
            made_at = connection.scalar(select(now)) or 0
            previous = (head.number + 1, seal_digest(head.signed)) if head else (1, "")
            stated = statement(*previous, unhurried(connection, batch), made_at)
            connection.execute(insert(SealRow).values(**_columns(stated, sign(stated))))
            tally(self._database, connection, batch)
        return len(batch)

    def head(self) -> Seal | None:
        """The newest seal."""
        with self._database.reading() as connection:
            return newest(connection)

    def after(self, number: int, limit: int = PAGE) -> list[Seal]:
        """The first *limit* seals behind that with *number*."""
        with self._database.reading() as connection:
            return oldest(connection, limit, SealRow.number > number)

    def drop(self, age_ms: int, until: Place | None, word: Word, event: Event) -> int:
        """Delete the events of the oldest batches that are wholly older than *age_ms* (milliseconds, by our clock).

        A whole partition at once, or some batches (`retention`). None beyond the place *until*, none from the first one
        on to which *word* says nothing, and never the newest: the numbers of SQLite's events would begin anew. Their
        seals stay, each with what *word* said to it and to the digest of all that is there behind the seal before.
        *event* is recorded with what went. Returns how many events; 0 too while another process does this, and while
        they wait for their partition. Raises `TrailBusy`, before anything is read if their partition is in use.
        """
        return retention.drop(self._database, retention.Old.than(self._database, age_ms, until, word), event)

    def make_room(self, seconds: int) -> None:
        """See that there is a partition for what comes, as wide as for so many *seconds*, and drop what is empty.

        Does nothing on SQLite, nor while another process seals or drops. Raises `TrailBusy`.
        """
        if self._database.dialect == "postgresql":
            partitions.make_ahead(self._database, seconds)
            partitions.drop_empty(self._database)

    def resume(self, event: Event) -> bool:
        """Let the trail of a restored database go on behind its last event (`TrailMoved`); False if it does already."""
        if not self.moved():
            return False
        with self._database.transaction() as connection:
            count_on(connection)
            record(connection, event)
        return True

    def moved(self) -> bool:
        """Whether new events would come before sealed ones."""
        with self._database.reading() as connection:
            return _moved(connection, newest(connection))

    def _waits(self) -> bool:
        """Whether something is there to seal, found without a lock."""
        with self._database.reading() as connection:
            head = newest(connection)
            if _moved(connection, head):
                raise TrailMoved("this database seems restored from a dump: run 'authserver audit resume'")
            return bool(read(connection, 1, beyond(head.last if head else START), finished(connection)))


def _moved(connection: Connection, head: Seal | None) -> bool:
    return head is not None and not counts_on_from(connection, head.last)


def _of_one_partition(connection: Connection, batch: list[Recorded]) -> list[Recorded]:
    """The first events of *batch*, so that no seal holds events of two partitions."""
    end = partitions.next_bound(connection, batch[0].place.xid) if batch else None
    return batch if end is None else [each for each in batch if each.place.xid < end]


def _columns(stated: Statement, signed: str) -> dict[str, object]:
    same = ("number", "last_xid", "last_id", "rows", "from_ms", "to_ms")
    return {**{name: getattr(stated, name) for name in same}, "sealed_at": stated.iat, "statement": signed}
