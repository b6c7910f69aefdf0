"""Clients as lists have them: newest first, page by page, each with how many grants of it live."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, literal_column, select

from ..protocol.client import Client
from .client_row import client_of
from .counting import counted_grants, shown
from .database import Database
from .models import ClientRow, GrantRow
from .paging import Order, Page, cut
from .searching import Name, Searched

NEWEST_FIRST = Order(ClientRow.created_at, ClientRow.client_id)
SEARCHED = Searched(
    NEWEST_FIRST,
    (
        # What strangers register and nobody uses costs no entry in the index.
        Name(ClientRow.name, indexed=ClientRow.last_used_at.is_not(None)),
        Name(ClientRow.client_id, ClientRow.kind == literal_column("'metadata_document'")),
    ),
)
"""By name, and by the URL that is a document's id; ids that mean nothing are searched as a whole."""
NOTHING: ColumnElement[int] = literal_column("0")
LISTED = func.coalesce(ClientRow.deleted_at, NOTHING) == NOTHING  # as the index of lists has it
LIVE_GRANTS = counted_grants(ClientRow, GrantRow.client_id == ClientRow.client_id)


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
    """The clients that are *which* and have *query* in their name or id, newest first."""
    found: list[ClientListing] = []
    with database.session() as session:
        for way in SEARCHED.ways(query, after, limit, database.dialect, LISTED, *which):
            rows = session.execute(NEWEST_FIRST.limit(select(ClientRow, LIVE_GRANTS).where(way), after, limit))
            found = [ClientListing(client_of(row), grants, row.last_used_at) for row, grants in rows]
            if len(found) > limit:
                break
    return cut(found, limit, lambda line: (line.client.created_at, line.client.client_id))
