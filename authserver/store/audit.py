"""The audit trail: written by every store in the transaction of the change itself, read by the console."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, insert, literal, select
from sqlalchemy.orm import aliased

from ..protocol.audit import Event, Origin
from .clock import now_in_milliseconds
from .database import Database
from .models import AuditRow, GrantRow
from .models.base import storable
from .paging import Order, Page, cut, written

COLUMNS = (
    "name", "actor", "user_id", "client_id", "resource", "grant_id", "outcome", "address", "correlation_id", "detail",
)  # fmt: skip
NOWHERE = Origin()
INDEXED = ("name", "user_id", "client_id")
SIFTED = ("outcome", "resource", "actor", "correlation_id")
LOOKED_THROUGH = 10_000
PIECE = 2000
SLACK_MS = 60_000  # a transaction that began late may have a lower number
RECORD = insert(AuditRow).values(at_ms=now_in_milliseconds, **{name: bindparam(name) for name in COLUMNS})


def record(connection: Connection, event: Event, number: int | None = None) -> None:
    """Write *event* in the transaction of *connection*. See `Database.act_from` for one that tells no origin.

    *number* is its own, and those of later events are above it; None: the next.
    """
    event = _from_somewhere(connection, event)
    connection.execute(RECORD if number is None else RECORD.values(id=number), columns(event))


def record_all(connection: Connection, events: Iterable[Event]) -> None:
    """`record` each of *events*, in order, at the price of little more than one."""
    rows = [columns(_from_somewhere(connection, event)) for event in events]
    if rows:
        connection.execute(RECORD, rows)


def _from_somewhere(connection: Connection, event: Event) -> Event:
    if event.origin != NOWHERE:
        return event
    return event.about(origin=connection.get_execution_options().get("origin", NOWHERE))


def columns(event: Event) -> dict[str, Any]:
    """*event* as the columns of its row, all but the time."""
    return {
        "name": event.name,
        "actor": event.actor,
        "user_id": event.user_id,
        "client_id": event.client_id,
        "resource": event.resource,
        "grant_id": event.grant_id,
        "outcome": event.outcome,
        "address": event.origin.address,
        "correlation_id": event.origin.correlation_id,
        "detail": event.detail,
    }


def parameters(event: Event) -> dict[str, Any]:
    """*event* as parameters of a statement in plain SQL, which knows itself whom and what it is about."""
    return {
        "name": event.name,
        "actor": event.actor,
        "outcome": event.outcome,
        "address": storable(event.origin.address),
        "correlation_id": storable(event.origin.correlation_id),
        "detail": json.dumps(event.detail) if event.detail else "{}",
    }


@dataclass(frozen=True, slots=True)
class AuditListing:
    """An event and its place in the trail; ``at_ms`` is in Unix milliseconds."""

    id: int
    at_ms: int
    event: Event


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which events to list; what is None matches all."""

    name: str | None = None
    outcome: str | None = None
    user_id: str | None = None
    client_id: str | None = None
    grant_id: str | None = None
    resource: str | None = None
    actor: str | None = None
    correlation_id: str | None = None


class AuditStore:
    """The trail as a list, and a way in for what changes nothing else."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, event: Event) -> None:
        """Write *event* in a transaction of its own."""
        with self._database.transaction() as connection:
            record(connection, event)

    def page(self, wanted: AuditFilter, after: str | None, limit: int) -> Page[AuditListing]:
        """Events that fit *wanted*, newest first.

        No index leads to an outcome, a resource, an actor or a correlation id: for these, ten thousand events are
        looked through, so that a page may have fewer lines than *limit*, or none, and be followed by another. So it is
        with a grant that was forgotten.
        """
        order, sifted = Order(AuditRow.id, literal("")), _given(wanted, SIFTED)
        events = select(AuditRow).filter_by(**_given(wanted, INDEXED))
        if wanted.grant_id is not None and (person := self._person(wanted.grant_id)):
            events = events.filter_by(user_id=person, grant_id=wanted.grant_id)
        elif wanted.grant_id is not None:
            sifted["grant_id"] = wanted.grant_id
        if sifted:
            return self._sift(order.limit(events, after, LOOKED_THROUGH), sifted, limit)
        return cut(self._lines(order.limit(events, after, limit)), limit, _place)

    def _person(self, grant_id: str) -> str | None:
        # By whom events have an index; one by grants every refresh would have to write.
        with self._database.reading() as connection:
            return connection.scalar(select(GrantRow.user_id).where(GrantRow.id == grant_id))

    def _sift(self, events: Select[AuditRow], which: dict[str, str], limit: int) -> Page[AuditListing]:
        seen = aliased(AuditRow, events.subquery())
        fit = select(seen).filter_by(**which).order_by(seen.id.desc()).limit(limit + 1)
        page = cut(self._lines(fit), limit, _place)
        if page.after is not None:
            return page
        with self._database.reading() as connection:
            oldest, count = connection.execute(select(func.min(seen.id), func.count(seen.id))).one()
        return page if count <= LOOKED_THROUGH else Page(page.lines, written(oldest, ""))

    def _lines(self, statement: Select[AuditRow]) -> list[AuditListing]:
        with self._database.session() as session:
            return [_listing(row) for row in session.scalars(statement)]

    def first_of_client(self, client_id: str) -> AuditListing | None:
        """The oldest event about a client that is kept: with luck, how it came here."""
        oldest = select(AuditRow).where(AuditRow.client_id == client_id).order_by(AuditRow.id).limit(1)
        with self._database.session() as session:
            row = session.scalars(oldest).one_or_none()
            return _listing(row) if row else None

    def newest(self, since_ms: int) -> Iterator[AuditListing]:
        """Events since then (Unix milliseconds), newest first, read in bounded pieces."""
        last: int | None = None
        while True:
            wanted = select(AuditRow).order_by(AuditRow.id.desc()).limit(PIECE)
            with self._database.session() as session:
                found = session.scalars(wanted if last is None else wanted.where(AuditRow.id < last)).all()
                lines = [_listing(row) for row in found]
            yield from (line for line in lines if line.at_ms >= since_ms)
            # Rows are numbered as they are begun, and told the time then too: a piece that is older has none younger.
            if len(lines) < PIECE or lines[-1].at_ms < since_ms - SLACK_MS:
                return
            last = lines[-1].id


def _given(wanted: AuditFilter, names: tuple[str, ...]) -> dict[str, str]:
    return {name: value for name in names if (value := getattr(wanted, name)) is not None}


def _place(line: AuditListing) -> tuple[int, str]:
    return line.id, ""


def _listing(row: AuditRow) -> AuditListing:
    return AuditListing(row.id, row.at_ms, event_of(row))


def event_of(row: Any) -> Event:  # noqa: ANN401 - a mapped row, or one of its columns
    """The event that *row* tells of."""
    return Event(
        name=row.name,
        actor=row.actor,
        origin=Origin(row.address, row.correlation_id),
        outcome=row.outcome,
        user_id=row.user_id,
        client_id=row.client_id,
        resource=row.resource,
        grant_id=row.grant_id,
        detail=row.detail,
    )
