"""The numbers of the console's first page, and of what waits there for somebody."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, ScalarSelect, TextClause, func, literal, select

from ..protocol.trace.step import Verdict
from .clock import now_in_milliseconds
from .database import Database
from .decisions import HELD, PENDING
from .models import AlertRow, ClientRow, PendingGrantRow, ResourceRow, Row, TraceRow, UserRow
from .models.client import UNUSED
from .pending_grants import WAITS as REQUESTED
from .tallies import LIVING, TallyStore, Those

MOST = 10_000
"""Up to here things are counted when they are asked for; of more there is the census, a minute old."""

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Overview:
    """How many there are: of grants, clients, people and MCP servers that have not ended; counted to `MOST`."""

    grants: int
    clients: int
    users: int
    resources: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many there are that somebody should look at, each counted to `MOST` at most.

    Clients that wait for approval, documents of clients that changed, and what people ask for; alerts; registrations
    that nobody used; attempts to connect that failed in the last 24 hours.
    """

    approvals: int
    documents: int
    requests: int
    alerts: int
    unused: int
    attempts: int


def overview(database: Database) -> Overview:
    """Count what lives now; of what there is very much, what was counted last."""
    census = {name: number for name, number in TallyStore(database).census().items() if number >= MOST}
    wanted: dict[str, Those] = {
        **LIVING,
        "users": (UserRow, UserRow.disabled_at.is_(None)),
        "resources": (ResourceRow, ResourceRow.suspended_at.is_(None)),
    }
    some = {name: those for name, those in wanted.items() if name not in census}
    counts = select(*(_count(*those).label(name) for name, those in some.items()))
    with database.reading() as connection:
        found = connection.execute(counts).one()._asdict()
    return Overview(**{**{str(name): number for name, number in census.items()}, **found})


def waiting(database: Database) -> Waiting:
    """Count what waits, by indexes that hold nothing else."""
    lately = now_in_milliseconds - DAY_MS
    counts = select(
        _count(ClientRow, PENDING).label("approvals"),
        _count(ClientRow, HELD).label("documents"),
        _count(PendingGrantRow, *REQUESTED).label("requests"),
        _count(AlertRow, AlertRow.dismissed_at.is_(None)).label("alerts"),
        _count(ClientRow, UNUSED).label("unused"),
        _count(TraceRow, TraceRow.verdict == Verdict.FAILED, TraceRow.last_ms > lately).label("attempts"),
    )
    with database.reading() as connection:
        return Waiting(**connection.execute(counts).one()._asdict())


def _count(table: type[Row], *which: ColumnElement[bool] | TextClause) -> ScalarSelect[int]:
    some = select(literal(1)).select_from(table).where(*which).limit(MOST).subquery()
    return select(func.count()).select_from(some).scalar_subquery()
