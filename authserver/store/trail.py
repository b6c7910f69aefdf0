"""The audit trail in the order in which it is sealed.

On PostgreSQL an event is *finished* when every transaction that began to write no later than its own has ended
(``xid < pg_snapshot_xmin``): whatever commits afterwards comes later in the order, however low its number is. SQLite
has one writer at a time, so every event that is seen there is finished.
"""

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Text, cast, func, literal, select, text, true, tuple_

from ..protocol.audit import Event, Origin
from ..protocol.audit_seal import Place, Recorded
from . import partitions
from .clock import now_in_milliseconds
from .database import Database
from .models import AuditRow, SealRow

PAGE = 1000
STRIDE = 32  # events, which take about a millisecond
T = TypeVar("T")
stands_at = tuple_(AuditRow.xid, AuditRow.id)
# In the order of an event's fields: there are many, so each is made of its columns as they come.
EVENTS = select(
    *(AuditRow.xid, AuditRow.id, AuditRow.at_ms, AuditRow.address, AuditRow.correlation_id),
    *(AuditRow.name, AuditRow.actor, AuditRow.outcome, AuditRow.user_id, AuditRow.client_id),
    *(AuditRow.resource, AuditRow.grant_id, cast(AuditRow.detail, Text)),
)
FINISHED = text("xid < audit_order(pg_snapshot_xmin(pg_current_snapshot()))")
NEXT = text("SELECT audit_order(pg_snapshot_xmax(pg_current_snapshot()))")
OLDEST_RUNNING = text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
LAST = select(func.greatest(func.max(AuditRow.xid), select(func.max(SealRow.last_xid)).scalar_subquery()))
ORDER = (
    "CREATE OR REPLACE FUNCTION audit_order(xid8) RETURNS bigint LANGUAGE sql STABLE "
    "AS 'SELECT $1::text::bigint + ({})'"
)


@dataclass(frozen=True, slots=True)
class Tail:
    """The events that are not sealed yet: how many, and when the first of them was written (Unix milliseconds)."""

    rows: int
    since_ms: int | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event that waits to be sealed or sent: ``since_ms`` (Unix milliseconds), and for how long by our clock."""

    since_ms: int
    for_ms: int


class TrailStore:
    """Events in the order of their places."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def events(self, after: Place, until: Place, *others: ColumnElement[bool]) -> Iterator[Recorded]:
        """The events after one place until another that fit *others* too, read page by page.

        *until* is a place that is sealed: behind it, events that commit meanwhile could be left out.
        """
        while page := self.page(after, until, PAGE, *others):
            yield from page
            after = page[-1].place

    def between(self, after: Place, until: Place, since_ms: int | None, before_ms: int | None) -> Iterator[Recorded]:
        """`events` of a time, *since_ms* until just *before_ms* (Unix milliseconds); None for no bound."""
        bounds = []
        if since_ms is not None:
            bounds.append(AuditRow.at_ms >= since_ms)
        if before_ms is not None:
            bounds.append(AuditRow.at_ms < before_ms)
        return self.events(after, until, *bounds)

    def page(self, after: Place, until: Place, limit: int, *others: ColumnElement[bool]) -> list[Recorded]:
        """The first *limit* of `events`."""
        with self._database.reading() as connection:
            return read(connection, limit, beyond(after), up_to(until), *others)

    def tail(self, after: Place) -> Tail:
        """What there is behind the newest seal's place *after*, finished or not."""
        wanted = select(func.count(), func.min(AuditRow.at_ms)).where(beyond(after))
        with self._database.reading() as connection:
            rows, since_ms = connection.execute(wanted).one()
        return Tail(rows, since_ms)

    def first_behind(self, after: Place) -> Waiting | None:
        """The first event behind *after*, finished or not; by one look at the index, however many there are."""
        first = select(AuditRow.at_ms, now_in_milliseconds - AuditRow.at_ms).where(beyond(after))
        with self._database.reading() as connection:
            found = connection.execute(first.order_by(AuditRow.xid, AuditRow.id).limit(1)).one_or_none()
        return Waiting(*found) if found else None


def read(connection: Connection, limit: int, *conditions: ColumnElement[bool]) -> list[Recorded]:
    """The first *limit* events that fit, in order."""
    wanted = EVENTS.where(*conditions).order_by(AuditRow.xid, AuditRow.id).limit(limit)
    return [_recorded(row) for row in unhurried(connection, connection.execute(wanted).all())]


def unhurried(connection: Connection, events: Iterable[T]) -> Iterator[T]:
    """*events*; again and again, threads that wait go first: Python runs one, and changes them every 5 ms.

    Not on SQLite, where nobody else writes while these are sealed.
    """
    stride = 0 if connection.dialect.name == "sqlite" else STRIDE
    for number, event in enumerate(events, 1):
        yield event
        if stride and not number % stride:
            time.sleep(0)


def finished(connection: Connection) -> ColumnElement[bool]:
    """Which events no transaction can still come before, as the statement that asks sees it."""
    return FINISHED if connection.dialect.name == "postgresql" else true()  # type: ignore[return-value]


def counts_on_from(connection: Connection, last: Place) -> bool:
    """Whether the next transaction comes after *last*: not so in a database that was restored from a dump."""
    return connection.dialect.name != "postgresql" or (connection.scalar(NEXT) or 0) > last.xid


def count_on(connection: Connection, least: int = 0) -> None:
    """Have all events from now on come after all that are there, wherever the transactions are counted from here.

    The transaction in their places is *least* at the least. For PostgreSQL only.
    """
    connection.execute(text("LOCK TABLE audit_events IN SHARE ROW EXCLUSIVE MODE"))
    partitions.lift(connection)
    last, lowest = connection.scalar(LAST) or 0, connection.scalar(OLDEST_RUNNING) or 0
    connection.execute(text(ORDER.format(max(last + 1, least) - lowest)))


def beyond(place: Place) -> ColumnElement[bool]:
    """Which events come after *place*. Said twice: the order finds them by index, the transaction their partitions."""
    return (stands_at > at(place)) & (AuditRow.xid >= place.xid)


def up_to(place: Place) -> ColumnElement[bool]:
    """Which events come no later than *place*; said twice, too."""
    return (stands_at <= at(place)) & (AuditRow.xid <= place.xid)


def at(place: Place) -> ColumnElement[Any]:
    """*place* as SQL."""
    return tuple_(literal(place.xid, AuditRow.xid.type), literal(place.id, AuditRow.id.type))


def _recorded(row: Any) -> Recorded:  # noqa: ANN401 - its columns are those of EVENTS
    xid, number, at_ms, address, correlation_id, *of_event, detail = row
    name, actor, outcome, user_id, client_id, resource, grant_id = of_event
    origin = Origin(address, correlation_id)
    event = Event(name, actor, origin, outcome, user_id, client_id, resource, grant_id, json.loads(detail))
    return Recorded(Place(xid, number), at_ms, event)
