"""What waits for an administrator's decision among clients: whole clients, and changes of their documents."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select

from ..protocol.client import Client
from .client_row import client_of
from .clock import now
from .database import Database
from .models import AuditRow, ClientRow
from .paging import Order, Page, cut

FIRST_EVENT = (
    select(AuditRow.address)
    .where(AuditRow.client_id == ClientRow.client_id)
    .order_by(AuditRow.id)
    .limit(1)
    .correlate(ClientRow)
    .scalar_subquery()
)
PENDING = and_(ClientRow.pending_since.is_not(None), ClientRow.deleted_at.is_(None), ClientRow.suspended_at.is_(None))
HELD = and_(ClientRow.held_since.is_not(None), ClientRow.deleted_at.is_(None))


@dataclass(frozen=True, slots=True)
class Pending:
    """A client that waits, or whose change does: since when (Unix seconds), and from where it came first."""

    client: Client
    since: int
    address: str


class DecisionStore:
    """Reads what waits. What was refused waits no longer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def pending(self, after: str | None, limit: int) -> Page[Pending]:
        """Clients that may do nothing yet, the newest first."""
        return self._page(ClientRow.pending_since, PENDING, after, limit)

    def held(self, after: str | None, limit: int) -> Page[Pending]:
        """Clients with a document whose change is held, the newest first."""
        return self._page(ClientRow.held_since, HELD, after, limit)

    def find_pending(self, client_id: str) -> Pending | None:
        """One of `pending`."""
        return self._find(ClientRow.pending_since, PENDING, client_id)

    def find_held(self, client_id: str) -> Pending | None:
        """One of `held`."""
        return self._find(ClientRow.held_since, HELD, client_id)

    def overdue_pending(self, seconds: int, limit: int) -> list[str]:
        """At most *limit* clients that wait for *seconds*, the longest first."""
        return self._overdue(ClientRow.pending_since, PENDING, seconds, limit)

    def overdue_held(self, seconds: int, limit: int) -> list[str]:
        """At most *limit* clients whose change is held for *seconds*, the longest first."""
        return self._overdue(ClientRow.held_since, HELD, seconds, limit)

    def count_pending(self, most: int) -> int:
        """How many clients may do nothing yet; counts to *most*."""
        return self._count(PENDING, most)

    def count_held(self, most: int) -> int:
        """How many changes are held; counts to *most*."""
        return self._count(HELD, most)

    def _count(self, which: ColumnElement[bool], most: int) -> int:
        some = select(ClientRow.client_id).where(which).limit(most).subquery()
        with self._database.reading() as connection:
            return connection.scalar(select(func.count()).select_from(some)) or 0

    def _page(self, since: Any, which: ColumnElement[bool], after: str | None, limit: int) -> Page[Pending]:  # noqa: ANN401 - a column
        newest_first = Order(since, ClientRow.client_id)
        found = self._list(newest_first.limit(_wanted(since).where(which), after, limit))
        return cut(found, limit, lambda line: (line.since, line.client.client_id))

    def _find(self, since: Any, which: ColumnElement[bool], client_id: str) -> Pending | None:  # noqa: ANN401 - a column
        found = self._list(_wanted(since).where(which, ClientRow.client_id == client_id))
        return found[0] if found else None

    def _overdue(self, since: Any, which: ColumnElement[bool], seconds: int, limit: int) -> list[str]:  # noqa: ANN401 - a column
        overdue = select(ClientRow.client_id).where(which, since <= now - seconds).order_by(since).limit(limit)
        with self._database.reading() as connection:
            return list(connection.scalars(overdue))

    def _list(self, wanted: Select[*tuple[Any, ...]]) -> list[Pending]:
        with self._database.session() as session:
            return [Pending(client_of(row), since, address or "") for row, since, address in session.execute(wanted)]


def _wanted(since: Any) -> Select[*tuple[Any, ...]]:  # noqa: ANN401 - a column
    return select(ClientRow, since, FIRST_EVENT)
