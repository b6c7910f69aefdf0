"""How far each target has come with the sealed trail, and whose turn it is to deliver: a lease, held by no session."""

from dataclasses import dataclass

from sqlalchemy import and_, or_, select, tuple_, update

from ..protocol.audit_seal import START, Place
from .clock import now
from .database import Database
from .models import StreamRow
from .trail import at


@dataclass(frozen=True, slots=True)
class Stream:
    """How a target stands: the place of the last event that it took; times in Unix seconds."""

    target: str
    last: Place
    delivered_at: int | None
    failure: str | None
    failed_at: int | None


class StreamStore:
    """One row a target; only who holds the lease moves it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, target: str, holder: str, seconds: int) -> Place | None:
        """Let *holder* deliver to *target* for so many seconds, unless another one does: then None.

        Returns the place behind which to go on. A holder may claim again before its lease ends.
        """
        free = or_(StreamRow.holder == holder, StreamRow.leased_until <= now)
        claimed = (
            self._database.insert(StreamRow)
            .values(target=target, last_xid=START.xid, last_id=START.id, holder=holder, leased_until=now + seconds)
            .on_conflict_do_update(
                index_elements=["target"], set_={"holder": holder, "leased_until": now + seconds}, where=free
            )
            .returning(StreamRow.last_xid, StreamRow.last_id)
        )
        with self._database.transaction() as connection:
            found = connection.execute(claimed).one_or_none()
        return Place(*found) if found else None

    def waits(self, target: str, holder: str, head: Place) -> bool:
        """Whether *target* lacks something of what is sealed up to *head*, and *holder* may have the lease."""
        others = and_(StreamRow.holder != holder, StreamRow.leased_until > now)
        has_all = tuple_(StreamRow.last_xid, StreamRow.last_id) >= at(head)
        settled = select(StreamRow.target).where(StreamRow.target == target, or_(has_all, others))
        with self._database.reading() as connection:
            return connection.execute(settled).one_or_none() is None

    def advance(self, target: str, holder: str, last: Place) -> bool:
        """*target* took everything up to *last*. False, and nothing changes, if another one holds the lease by now."""
        taken = {"last_xid": last.xid, "last_id": last.id, "delivered_at": now, "failure": None, "failed_at": None}
        return self._held(target, holder, taken)

    def fail(self, target: str, holder: str, why: str) -> None:
        """*target* did not take what came next, for the reason *why*."""
        self._held(target, holder, {"failure": why, "failed_at": now})

    def all(self) -> list[Stream]:
        """Every target that was ever delivered to."""
        names = (StreamRow.delivered_at, StreamRow.failure, StreamRow.failed_at)
        wanted = select(StreamRow.target, StreamRow.last_xid, StreamRow.last_id, *names).order_by(StreamRow.target)
        with self._database.reading() as connection:
            return [Stream(row[0], Place(row[1], row[2]), *row[3:]) for row in connection.execute(wanted)]

    def _held(self, target: str, holder: str, values: dict[str, object]) -> bool:
        mine = update(StreamRow).where(StreamRow.target == target, StreamRow.holder == holder)
        with self._database.transaction() as connection:
            return bool(connection.execute(mine.values(**values)).rowcount)
