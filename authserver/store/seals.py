"""Seals of the audit trail: one process at a time puts a batch of finished events under a signed seal, or drops one."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select, text, update

from ..protocol.audit import Event
from ..protocol.audit_seal import START, Digest, Events, Place, Statement, seal_digest, statement
from .audit import record
from .clock import now, now_in_milliseconds
from .database import Database
from .models import AuditRow, SealRow
from .tallies import tally
from .trail import PAGE, at, beyond, count_on, counts_on_from, finished, read, stands_at

LOCK = 0x6D6371  # any number that nobody else takes
EVENTS_PER_DROP = 2000  # they are read, and on SQLite nobody else writes meanwhile
NEWEST = select(SealRow).order_by(SealRow.number.desc()).limit(1)
Sign = Callable[[Statement], str]


class TrailMoved(RuntimeError):
    """The database counts transactions from below its seals: it was restored from a dump."""


@dataclass(frozen=True, slots=True)
class Seal:
    """A seal as it is kept: the ``signed`` statement, what the columns beside it say, and the word of its drop."""

    number: int
    last: Place
    rows: int
    from_ms: int
    to_ms: int
    sealed_at: int
    signed: str
    dropped: str | None


Word = Callable[[Seal, Digest], str | None]


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
            if not _alone(connection):
                return 0
            head = _newest(connection)
            batch = read(connection, most, beyond(head.last if head else START), finished(connection))
            if not batch:
                return 0
            made_at = connection.scalar(select(now)) or 0
            previous = (head.number + 1, seal_digest(head.signed)) if head else (1, "")
            stated = statement(*previous, batch, made_at)
            connection.execute(insert(SealRow).values(**_columns(stated, sign(stated))))
            tally(self._database, connection, batch)
        return len(batch)

    def head(self) -> Seal | None:
        """The newest seal."""
        with self._database.reading() as connection:
            return _newest(connection)

    def after(self, number: int, limit: int = PAGE) -> list[Seal]:
        """The first *limit* seals behind that with *number*."""
        wanted = select(SealRow).where(SealRow.number > number).order_by(SealRow.number).limit(limit)
        with self._database.reading() as connection:
            return [_seal(row) for row in connection.execute(wanted)]

    def drop(self, age_ms: int, until: Place | None, word: Word, event: Event) -> int:
        """Delete the events of the oldest batches that are wholly older than *age_ms* (milliseconds, by our clock).

        At most some batches at once, none beyond the place *until*, none from the first one on to which *word* says
        nothing, and never the newest: the numbers of SQLite's events would begin anew. Their seals stay, each with what
        *word* said to it and to the digest of all that is there behind the seal before. *event* is recorded with what
        went. Returns how many events; 0 too while another process seals or drops.
        """
        with self._database.transaction() as connection:
            head = _newest(connection) if _alone(connection) else None
            going = _going(connection, head, age_ms, until) if head else []
            after = _before(connection, going)
            said = list(zip(going, _said(connection, after, going, word), strict=False))
            if not said:
                return 0
            for seal, spoken in said:
                marked = update(SealRow).where(SealRow.number == seal.number)
                connection.execute(marked.values(dropped=spoken))
            first, last = said[0][0], said[-1][0]
            rows = connection.execute(delete(AuditRow).where(beyond(after), stands_at <= at(last.last))).rowcount
            record(connection, event.about(detail={**event.detail, "seals": [first.number, last.number], "rows": rows}))
        return rows

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
            return _moved(connection, _newest(connection))

    def _waits(self) -> bool:
        """Whether something is there to seal, found without a lock."""
        with self._database.reading() as connection:
            head = _newest(connection)
            if _moved(connection, head):
                raise TrailMoved("this database seems restored from a dump: run 'authserver audit resume'")
            return bool(read(connection, 1, beyond(head.last if head else START), finished(connection)))


def _moved(connection: Connection, head: Seal | None) -> bool:
    return head is not None and not counts_on_from(connection, head.last)


def _alone(connection: Connection) -> bool:
    """Whether this transaction is the one that may seal or drop. A lock ends with it, so poolers may lie between."""
    if connection.dialect.name == "sqlite":
        return True
    return bool(connection.scalar(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": LOCK}))


def _newest(connection: Connection) -> Seal | None:
    found = connection.execute(NEWEST).one_or_none()
    return _seal(found) if found else None


def _going(connection: Connection, newest: Seal, age_ms: int, until: Place | None) -> list[Seal]:
    """The seals to drop: the oldest that stand, as far as each fits."""
    before_ms = (connection.scalar(select(now_in_milliseconds)) or 0) - age_ms
    standing = select(SealRow).where(SealRow.dropped.is_(None)).order_by(SealRow.number).limit(PAGE)
    going: list[Seal] = []
    for seal in map(_seal, connection.execute(standing)):
        full = going and sum(each.rows for each in going) + seal.rows > EVENTS_PER_DROP
        young = seal.number == newest.number or seal.to_ms >= before_ms
        if full or young or (until is not None and seal.last > until):
            break
        going.append(seal)
    return going


def _before(connection: Connection, going: Sequence[Seal]) -> Place:
    """Where the batch before the first of *going* ended."""
    before = NEWEST.where(SealRow.number < going[0].number) if going else None
    found = connection.execute(before).one_or_none() if before is not None else None
    return _seal(found).last if found else START


def _said(connection: Connection, after: Place, going: Sequence[Seal], word: Word) -> Iterator[str]:
    """What *word* says to each of *going*, whose events come behind *after*, until it says nothing."""
    most = sum(seal.rows for seal in going) + 1
    events = Events(read(connection, most, beyond(after), stands_at <= at(going[-1].last)) if going else [])
    for seal in going:
        if (spoken := word(seal, events.digest(seal.last))) is None:
            return
        yield spoken


def _seal(row: Any) -> Seal:  # noqa: ANN401 - its columns are those of SealRow
    last = Place(row.last_xid, row.last_id)
    return Seal(row.number, last, row.rows, row.from_ms, row.to_ms, row.sealed_at, row.statement, row.dropped)


def _columns(stated: Statement, signed: str) -> dict[str, object]:
    same = ("number", "last_xid", "last_id", "rows", "from_ms", "to_ms")
    return {**{name: getattr(stated, name) for name in same}, "sealed_at": stated.iat, "statement": signed}
