"""Flow traces as they are kept: written in batches, bounded in number, and listed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, case, delete, func, select

from ..protocol.trace.harmless import harmless
from ..protocol.trace.record import Record
from ..protocol.trace.step import Step, Verdict
from ..protocol.trace.words import WORDS
from .clock import now_in_milliseconds
from .database import Database
from .models import ToolReceiptRow, TraceRow, TraceStepRow
from .models.base import storable
from .paging import Order, Page, cut

KEPT_MS = 7 * 86_400_000
LONGEST_AGENT = 120
LONGEST_ID = 512
KNOWN_ONCE = ("client_id", "user_id", "grant_id", "resource")
LATEST = ("step", "verdict", "cause")
NEWEST_FIRST = Order(TraceRow.last_ms, TraceRow.id)


@dataclass(frozen=True, slots=True)
class Trace:
    """An attempt: whose it is as far as is known, and the last that happened. Times are in Unix milliseconds."""

    id: str
    client_id: str | None
    user_id: str | None
    grant_id: str | None
    resource: str | None
    address: str
    agent: str
    started_ms: int
    last_ms: int
    step: str
    verdict: str
    cause: str


@dataclass(frozen=True, slots=True)
class TraceStep:
    """What a step came to, ``times`` times between ``first_ms`` and ``last_ms``; the rest is of the last time."""

    step: str
    cause: str
    times: int
    first_ms: int
    last_ms: int
    address: str
    agent: str
    correlation_id: str
    about: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FirstCall:
    """A tool call that a guard told of."""

    at_ms: int
    tool: str
    outcome: str
    refused: bool
    correlation_id: str


@dataclass(frozen=True, slots=True)
class TraceFilter:
    """Which attempts to list; ``failed``: only those whose last step failed."""

    failed: bool = True
    client_id: str | None = None
    user_id: str | None = None


class TraceStore:
    """Attempts and their steps."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, records: Iterable[tuple[int, Record]]) -> None:
        """Write records down in one transaction, each with its age in milliseconds.

        The same again is counted, not kept twice.
        """
        with self._database.transaction() as connection:
            at = connection.scalars(select(now_in_milliseconds)).one()
            # In one order for everyone, as all that locks many.
            timed = sorted(
                ((at - age, record) for age, record in records),
                key=lambda pair: (pair[1].reference, pair[1].step, pair[1].cause, pair[0]),
            )
            self._write_traces(connection, timed)
            self._write_steps(connection, timed)

    def trim(self, most: int, limit: int) -> int:
        """Delete at most *limit* of the oldest attempts in which nobody signed in, beyond *most*; returns how many."""
        nobodys = select(TraceRow.id).where(TraceRow.user_id.is_(None))
        beyond = nobodys.order_by(TraceRow.last_ms.desc(), TraceRow.id.desc()).offset(most).limit(limit)
        with self._database.transaction() as connection:
            gone = connection.scalars(beyond.with_for_update(skip_locked=True)).all()
            if gone:
                connection.execute(delete(TraceRow).where(TraceRow.id.in_(gone)))
        return len(gone)

    def find(self, reference: str) -> Trace | None:
        """The attempt of that reference."""
        return self._one(select(*TraceRow.__table__.columns).where(TraceRow.id == reference))

    def find_by_correlation(self, correlation_id: str) -> Trace | None:
        """The newest attempt with a request of that id."""
        of = select(TraceStepRow.trace_id).where(TraceStepRow.correlation_id == correlation_id)
        found = select(*TraceRow.__table__.columns).where(TraceRow.id.in_(of))
        return self._one(found.order_by(TraceRow.last_ms.desc()).limit(1))

    def steps(self, reference: str) -> list[TraceStep]:
        """The steps of an attempt, by when each came first."""
        columns = [column for column in TraceStepRow.__table__.columns if column.name != "trace_id"]
        found = select(*columns).where(TraceStepRow.trace_id == reference)
        with self._database.reading() as connection:
            rows = connection.execute(found.order_by(TraceStepRow.first_ms, TraceStepRow.last_ms)).all()
        return [TraceStep(**row._mapping) for row in rows]

    def discoveries(self, addresses: Iterable[str], since_ms: int, until_ms: int) -> list[Trace]:
        """What *addresses* did in that time that is only a discovery, newest first, ten at most."""
        found = (
            select(*TraceRow.__table__.columns)
            .where(TraceRow.address.in_(list(addresses)), TraceRow.last_ms.between(since_ms, until_ms))
            .where(TraceRow.step == Step.DISCOVERY)
            .order_by(TraceRow.last_ms.desc())
            .limit(10)
        )
        with self._database.reading() as connection:
            return [Trace(**row._mapping) for row in connection.execute(found)]

    def first_call(self, grant_id: str, since_ms: int) -> FirstCall | None:
        """The first call under a grant since then."""
        row = ToolReceiptRow
        columns = (row.at_ms, row.tool, row.outcome, row.refused, row.correlation_id)
        found = select(*columns).where(row.grant_id == grant_id, row.at_ms >= since_ms)
        with self._database.reading() as connection:
            one = connection.execute(found.order_by(row.at_ms, row.key).limit(1)).one_or_none()
        return FirstCall(**one._mapping) if one else None

    def page(self, wanted: TraceFilter, after: str | None, limit: int) -> Page[Trace]:
        """Attempts that fit *wanted*, newest first. What is only a discovery is none."""
        found = select(*TraceRow.__table__.columns).where(TraceRow.step != Step.DISCOVERY)
        if wanted.failed:
            found = found.where(TraceRow.verdict == Verdict.FAILED)
        for name in ("client_id", "user_id"):
            if (value := getattr(wanted, name)) is not None:
                found = found.where(getattr(TraceRow, name) == value)
        with self._database.reading() as connection:
            lines = [Trace(**row._mapping) for row in connection.execute(NEWEST_FIRST.limit(found, after, limit))]
        return cut(lines, limit, lambda line: (line.last_ms, line.id))

    def _one(self, statement: Any) -> Trace | None:  # noqa: ANN401 - a SELECT of all columns
        with self._database.reading() as connection:
            row = connection.execute(statement).one_or_none()
        return Trace(**row._mapping) if row else None

    def _write_traces(self, connection: Connection, timed: Sequence[tuple[int, Record]]) -> None:
        rows: dict[str, dict[str, Any]] = {}
        for at, record in sorted(timed, key=lambda pair: pair[0]):
            row = rows.setdefault(record.reference, _opened(at, record))
            row.update(_known(record))
            row.update(last_ms=at, step=record.step, cause=record.cause, verdict=WORDS[record.cause].verdict)
        new = self._database.insert(TraceRow)
        joined = new.on_conflict_do_update(index_elements=["id"], set_=self._joined(new.excluded))
        connection.execute(joined, [rows[reference] for reference in sorted(rows)])

    def _joined(self, new: Any) -> dict[str, Any]:  # noqa: ANN401 - the row that met another
        later, earlier = self._extremes()
        is_newer = new.last_ms >= TraceRow.last_ms
        return {
            "started_ms": earlier(TraceRow.started_ms, new.started_ms),
            "last_ms": later(TraceRow.last_ms, new.last_ms),
            **{name: func.coalesce(new[name], getattr(TraceRow, name)) for name in KNOWN_ONCE},
            **{name: case((is_newer, new[name]), else_=getattr(TraceRow, name)) for name in LATEST},
        }

    def _write_steps(self, connection: Connection, timed: Sequence[tuple[int, Record]]) -> None:
        rows: dict[tuple[str, str, str], dict[str, Any]] = {}
        for at, record in timed:
            key = (record.reference, record.step, record.cause)
            row = rows.setdefault(key, _step(at, record))
            row.update(last_ms=at, times=row["times"] + 1, **_latest(record))
        connection.execute(self._counted(self._database.insert(TraceStepRow)), list(rows.values()))

    def _counted(self, new: Any) -> Any:  # noqa: ANN401 - an INSERT of either dialect
        later, earlier = self._extremes()
        kept = TraceStepRow
        changed = {
            "times": kept.times + new.excluded.times,
            "first_ms": earlier(kept.first_ms, new.excluded.first_ms),
            "last_ms": later(kept.last_ms, new.excluded.last_ms),
            **{name: new.excluded[name] for name in ("address", "agent", "correlation_id", "about")},
        }
        return new.on_conflict_do_update(index_elements=["trace_id", "step", "cause"], set_=changed)

    def _extremes(self) -> tuple[Any, Any]:
        sqlite = self._database.dialect == "sqlite"
        return (func.max, func.min) if sqlite else (func.greatest, func.least)


def _opened(at: int, record: Record) -> dict[str, Any]:
    unknown: dict[str, Any] = dict.fromkeys(KNOWN_ONCE)
    return {"id": record.reference, "started_ms": at, "last_ms": at, **unknown, **_source(record)}


def _known(record: Record) -> dict[str, Any]:
    found = {name: getattr(record, name) for name in KNOWN_ONCE}
    kept = {name: harmless(value, LONGEST_ID) for name, value in found.items() if value is not None}
    return {name: value for name, value in kept.items() if value}


def _step(at: int, record: Record) -> dict[str, Any]:
    return {
        "trace_id": record.reference,
        "step": record.step,
        "cause": record.cause,
        "times": 0,
        "first_ms": at,
        "last_ms": at,
    }


def _latest(record: Record) -> dict[str, Any]:
    about = {name: storable(harmless(value)) for name, value in record.about.items()}
    return {**_source(record), "correlation_id": storable(record.origin.correlation_id[:40]), "about": about}


def _source(record: Record) -> dict[str, str]:
    return {
        "address": harmless(record.origin.address, 64),
        "agent": harmless(record.origin.agent, LONGEST_AGENT),
    }
