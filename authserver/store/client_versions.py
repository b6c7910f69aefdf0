"""What clients said of themselves before: a version for each change, kept in the transaction that makes it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Insert, SQLColumnExpression, delete, func, insert, select
from sqlalchemy.orm import Session

from ..protocol.audit import Event
from .client_row import client_of, said_by
from .clock import now
from .database import Database
from .models import ClientRow, ClientVersionRow

MOST_KEPT = 20  # versions of one client: whoever may change it could do so without end
Says = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ClientVersion:
    """What a client said of itself from ``at`` (Unix seconds) on, and the event that made it so."""

    number: int
    at: int
    event: str
    actor: str
    says: Says


class ClientVersionStore:
    """Versions of clients."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, client_id: str) -> tuple[ClientVersion, ...]:
        """The newest versions of a client, newest first; none of one that never changed."""
        row = ClientVersionRow
        found = select(row.number, row.at, row.event, row.actor, row.says).where(row.client_id == client_id)
        with self._database.reading() as connection:
            rows = connection.execute(found.order_by(row.number.desc()).limit(MOST_KEPT))
            return tuple(ClientVersion(*each) for each in rows)


def said(connection: Connection, client_id: str) -> Says | None:
    """What the client says of itself now; None if it is gone."""
    existing = select(ClientRow).where(ClientRow.client_id == client_id, ClientRow.deleted_at.is_(None))
    row = Session(connection).scalars(existing).one_or_none()
    return None if row is None else said_by(client_of(row))


def keep(connection: Connection, client_id: str, before: Says, event: Event) -> None:
    """Write down that the client says something else by *event* than it said *before*, if it does.

    The client's row is locked by now, so versions come one by one.
    """
    after = said(connection, client_id)
    if after is None or after == before:
        return
    row = ClientVersionRow
    newest = connection.scalar(select(func.max(row.number)).where(row.client_id == client_id)) or 0
    if not newest:
        newest = 1
        made_at = select(ClientRow.created_at).where(ClientRow.client_id == client_id).scalar_subquery()
        connection.execute(_version(client_id, 1, made_at, Event("", ""), before))
    connection.execute(_version(client_id, newest + 1, now, event, after))
    connection.execute(delete(row).where(row.client_id == client_id, row.number <= newest + 1 - MOST_KEPT))


def forget(connection: Connection, client_id: str) -> None:
    """Forget what a former client of that id said."""
    connection.execute(delete(ClientVersionRow).where(ClientVersionRow.client_id == client_id))


def _version(client_id: str, number: int, at: SQLColumnExpression[int], event: Event, says: Says) -> Insert:
    about = {"at": at, "event": event.name, "actor": event.actor, "says": says}
    return insert(ClientVersionRow).values(client_id=client_id, number=number, **about)
