"""Tool calls as pages and rules read them: lists, and sums over hours, days and grants."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal, select

from .authority import holds
from .clock import now, now_in_milliseconds
from .database import Database
from .models import ClientRow, GrantRow, ToolHourRow, ToolReceiptRow, ToolUseRow, UserRow
from .paging import Order, Page, cut

HOUR = 3600
DAY_HOURS, WEEK_HOURS = 24, 7 * 24
THIS_HOUR = now // HOUR
MOST_VOLUMES = 200
MOST_USES = 5000
"""Tools under all grants of one person; an app may call them what it likes."""

LISTED = ("tool", "arguments", "outcome", "refused", "status", "duration_ms", "correlation_id", "trace_id")
ABOUT = ("key", "at_ms", "resource", "subject", "client_id", "family_id", "grant_id", "user_id")
LISTING = (
    select(
        *(getattr(ToolReceiptRow, name) for name in (*ABOUT, *LISTED)),
        UserRow.username,
        UserRow.display_name,
        ClientRow.name.label("client_name"),
    )
    .outerjoin(UserRow, UserRow.id == ToolReceiptRow.user_id)
    .outerjoin(ClientRow, ClientRow.client_id == ToolReceiptRow.client_id)
)
NEWEST_FIRST = Order(ToolReceiptRow.at_ms, ToolReceiptRow.key)


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls to list; what is None matches all."""

    user_id: str | None = None
    client_id: str | None = None
    grant_id: str | None = None
    resource: str | None = None
    tool: str | None = None


@dataclass(frozen=True, slots=True)
class CallListing:
    """A receipt with the names that people know, where it has a grant. ``at_ms`` in Unix milliseconds.

    ``subject`` and ``client_id`` are as the guard said.
    """

    key: str
    at_ms: int
    resource: str
    subject: str
    client_id: str
    family_id: str | None
    grant_id: str | None
    user_id: str | None
    tool: str
    arguments: dict[str, Any]
    outcome: str
    refused: bool
    status: int | None
    duration_ms: float
    correlation_id: str
    trace_id: str | None
    username: str | None
    display_name: str | None
    client_name: str | None


@dataclass(frozen=True, slots=True)
class Volume:
    """How often a tool was called in the last 24 hours and in the last seven days, and how many of these refused."""

    resource: str
    tool: str
    day: int
    week: int
    refused: int


@dataclass(frozen=True, slots=True)
class Use:
    """How often a tool was called under a grant, and when last (Unix seconds)."""

    calls: int
    refused: int
    last_at: int


class ToolCallStore:
    """Reads what guards said was called."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, wanted: CallFilter, after: str | None, limit: int) -> Page[CallListing]:
        """Calls that fit *wanted*, newest first."""
        names = ("user_id", "client_id", "grant_id", "resource", "tool")
        fits = [
            getattr(ToolReceiptRow, name) == value for name in names if (value := getattr(wanted, name)) is not None
        ]
        statement = NEWEST_FIRST.limit(LISTING.where(*fits), after, limit)
        with self._database.reading() as connection:
            found = [CallListing(**row._asdict()) for row in connection.execute(statement)]
        return cut(found, limit, lambda line: (line.at_ms, line.key))

    def volumes(self, resource: str | None = None) -> tuple[Volume, ...]:
        """The tools that were called most in the last seven days, at most 200, busiest first."""
        row = ToolHourRow
        day = func.sum(case((row.hour > THIS_HOUR - DAY_HOURS, row.calls), else_=0))
        week = func.sum(row.calls)
        found = select(
            row.resource, row.tool, day.label("day"), week.label("week"), func.sum(row.refused).label("refused")
        )
        found = found.where(row.hour > THIS_HOUR - WEEK_HOURS).group_by(row.resource, row.tool)
        if resource is not None:
            found = found.where(row.resource == resource)
        busiest = found.order_by(day.desc(), week.desc(), row.tool).limit(MOST_VOLUMES)
        with self._database.reading() as connection:
            return tuple(Volume(one.resource, one.tool, *map(int, one[2:])) for one in connection.execute(busiest))

    def uses(self, user_id: str) -> dict[str, dict[str, Use]]:
        """What the live grants of a person were used for lately: grant → tool → use; at most `MOST_USES` in all."""
        live = and_(GrantRow.id == ToolUseRow.grant_id, GrantRow.user_id == user_id, holds(GrantRow))
        columns = (ToolUseRow.grant_id, ToolUseRow.tool, ToolUseRow.calls, ToolUseRow.refused, ToolUseRow.last_ms)
        used = select(*columns).join(GrantRow, live).limit(MOST_USES)
        found: dict[str, dict[str, Use]] = defaultdict(dict)
        with self._database.reading() as connection:
            for grant_id, tool, calls, refused, last_ms in connection.execute(used):
                found[grant_id][tool] = Use(calls, refused, last_ms // 1000)
        return dict(found)

    def told(self, within: int, resources: Collection[str]) -> frozenset[str]:
        """Those of *resources* whose guard tells of calls: it did before the last *within* seconds, and in them."""
        begin = (now - within) // HOUR
        hour = ToolHourRow.hour
        all_along = and_(func.min(hour) <= begin, func.max(hour) >= begin)
        found = select(ToolHourRow.resource).where(ToolHourRow.resource.in_(resources)).group_by(ToolHourRow.resource)
        with self._database.reading() as connection:
            return frozenset(connection.scalars(found.having(all_along)))

    def days(self, resource: str, tools: Collection[str], days: int) -> dict[str, dict[int, int]]:
        """Tool → how many days ago (0: the last 24 hours) → how often it was called; days without a call are absent."""
        row = ToolHourRow
        ago = ((THIS_HOUR - row.hour) // literal(DAY_HOURS)).label("ago")
        found = select(row.tool, ago, func.sum(row.calls)).where(
            row.resource == resource,
            row.tool.in_(tools),
            row.hour > THIS_HOUR - days * DAY_HOURS,
            row.hour <= THIS_HOUR,
        )
        sums: dict[str, dict[int, int]] = defaultdict(dict)
        with self._database.reading() as connection:
            for tool, day, calls in connection.execute(found.group_by(row.tool, ago)):
                sums[tool][int(day)] = int(calls)
        return dict(sums)

    def refusals(self, resource: str, client_ids: Iterable[str], within: int, most: int) -> dict[str, int]:
        """Client → how many of its calls *resource* refused in the last *within* seconds, counted up to *most*."""
        with self._database.reading() as connection:
            return {
                client_id: connection.execute(
                    select(func.count()).select_from(_refused(resource, client_id, within, most))
                ).scalar_one()
                for client_id in client_ids
            }


def _refused(resource: str, client_id: str, within: int, most: int) -> Any:  # noqa: ANN401 - a subquery
    lately: ColumnElement[bool] = ToolReceiptRow.at_ms > now_in_milliseconds - within * 1000
    which = (ToolReceiptRow.client_id == client_id, ToolReceiptRow.resource == resource, ToolReceiptRow.refused, lately)
    return select(ToolReceiptRow.key).where(*which).limit(most).subquery()
