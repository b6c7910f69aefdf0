"""Clients as lists have them: newest first, page by page, each with how many grants of it live."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, literal_column, or_, select

from ..protocol.client import Client
from .client_row import client_of
from .counting import counted_grants, shown
from .database import Database
from .models import ClientRow, GrantRow
from .paging import Order, Page, cut
from .searching import has

NEWEST_FIRST = Order(ClientRow.created_at, ClientRow.client_id)
LIVE_GRANTS = counted_grants(ClientRow, GrantRow.client_id == ClientRow.client_id)


def named_like(query: str, dialect: str) -> ColumnElement[bool]:
    """Which clients have *query* in their name or in the URL that is their id, or are the one of that id."""
    is_document = ClientRow.kind == literal_column("'metadata_document'")
    return or_(
        has(ClientRow.name, query, dialect),
        and_(is_document, has(ClientRow.client_id, query, dialect)),
        ClientRow.client_id == query,
    )


@dataclass(frozen=True, slots=True)
class ClientListing:
    """A client as the console lists it; ``last_used_at`` in Unix seconds is true to the hour.

    ``live_grants`` are counted to `counting.MOST`.
    """

    client: Client
    live_grants: int
    last_used_at: int | None

    @property
    def counted(self) -> str:
        """How many live grants, in words."""
        return shown(self.live_grants)


def page_of(
    database: Database, query: str, which: Iterable[ColumnElement[bool]], after: str | None, limit: int
) -> Page[ClientListing]:
    """The clients that are *which* and that `named_like` tells of *query*, newest first."""
    existing = select(ClientRow, LIVE_GRANTS).where(ClientRow.deleted_at.is_(None), *which)
    if query:
        existing = existing.where(named_like(query, database.dialect))
    with database.session() as session:
        rows = session.execute(NEWEST_FIRST.limit(existing, after, limit))
        found = [ClientListing(client_of(row), grants, row.last_used_at) for row, grants in rows]
    return cut(found, limit, lambda line: (line.client.created_at, line.client.client_id))
