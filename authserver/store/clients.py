"""Registered clients: implements `protocol.ports.Clients`."""

from dataclasses import dataclass

from sqlalchemy import Update, bindparam, func, or_, select, update

from ..protocol.audit import Event
from ..protocol.client import Client
from . import postgresql, sqlite
from .audit import record
from .cache import RecentlyUsed
from .client_row import changeable, client_of, lasting
from .clock import now
from .database import Database
from .ending import end_grants
from .epoch import ConfigEpoch, bump
from .models import ClientRow, GrantRow
from .paging import Order, Page, cut

CACHED_CLIENTS = 10_000
CACHED_SECONDS = 5.0
REGISTER = {"postgresql": postgresql.register, "sqlite": sqlite.register}
EXISTING = select(ClientRow).where(ClientRow.client_id == bindparam("client_id"), ClientRow.deleted_at.is_(None))
NEWEST_FIRST = Order(ClientRow.created_at, ClientRow.client_id)
LIVE_GRANTS = (
    select(func.count())
    .where(GrantRow.client_id == ClientRow.client_id, GrantRow.revoked_at.is_(None))
    .correlate(ClientRow)
    .scalar_subquery()
)


@dataclass(frozen=True, slots=True)
class ClientListing:
    """A client as the console lists it; ``last_used_at`` in Unix seconds is true to the hour."""

    client: Client
    live_grants: int
    last_used_at: int | None


class ClientStore:
    """Clients. One that was deleted or never was is None; its tombstone tells the two apart (CR-15)."""

    def __init__(self, database: Database, epoch: ConfigEpoch) -> None:
        """*epoch* tells when another process changed a client."""
        self._database = database
        self._epoch = epoch
        self._recent: RecentlyUsed[Client] = RecentlyUsed(CACHED_CLIENTS, CACHED_SECONDS)

    def find(self, client_id: str) -> Client | None:
        """The client of that id, suspended or not; None if there is none. At most a second older than any change."""
        epoch = self._epoch.current()
        client = self._recent.get(client_id, epoch)
        if client is None:
            client = self.find_fresh(client_id)
            if client is not None:
                self._recent.keep(client_id, client, epoch)
        return client

    def find_fresh(self, client_id: str) -> Client | None:
        """The client as it stands now."""
        with self._database.session() as session:
            row = session.scalars(EXISTING, {"client_id": client_id}).one_or_none()
            return None if row is None else client_of(row)

    def tombstoned(self, client_id: str) -> bool:
        """Whether there was a client of that id, and it was deleted."""
        deleted = select(ClientRow.deleted_at).where(ClientRow.client_id == client_id)
        with self._database.reading() as connection:
            return connection.execute(deleted).scalar_one_or_none() is not None

    def register(self, client: Client, event: Event) -> None:
        """Save a new client."""
        REGISTER[self._database.dialect](self._database, client, event)

    def preregister(self, client: Client, event: Event) -> bool:
        """Save a new client of an id that an administrator chose; False if there is one of that id.

        The id of a client that was deleted may be used again: nothing of the former one is left but the id.
        """
        columns = {**lasting(client), **changeable(client), "declared": client.declared}
        forgotten = {"deleted_at": None, "suspended_at": None, "last_used_at": None}
        anew = {getattr(ClientRow, name): value for name, value in {**columns, **forgotten}.items()}
        wanted = self._database.insert(ClientRow).values(columns)
        wanted = wanted.on_conflict_do_update(
            index_elements=["client_id"], set_=anew, where=ClientRow.deleted_at.is_not(None)
        )
        with self._database.transaction() as connection:
            if connection.execute(wanted.returning(ClientRow.client_id)).first() is None:
                return False
            bump(connection)
            record(connection, event.about(client_id=client.client_id))
        self._epoch.forget()
        return True

    def update(self, client: Client, event: Event, *, registration: bytes | None = None) -> bool:
        """Replace what a client says of itself and its credentials; False if it is gone.

        Where *registration* is given, only if that is still the digest of its registration access token: of two
        concurrent updates with one token, the second finds it rotated.
        """
        existing = update(ClientRow).where(ClientRow.client_id == client.client_id, ClientRow.deleted_at.is_(None))
        if registration is not None:
            existing = existing.where(ClientRow.registration_digest == registration)
        return self._change(existing.values(**changeable(client)), event)

    def set_suspended(self, client_id: str, suspended: bool, event: Event) -> bool:
        """Stop a client, or let it act again; its grants stay. False if it is gone."""
        existing = update(ClientRow).where(ClientRow.client_id == client_id, ClientRow.deleted_at.is_(None))
        return self._change(existing.values(suspended_at=now if suspended else None), event)

    def delete(self, client_id: str, event: Event) -> bool:
        """End a client with its grants, families and codes; its id stays known as deleted. False if it is gone."""
        nothing = {"secret_digest": None, "registration_digest": None, "deleted_at": now}
        with self._database.transaction() as connection:
            existing = update(ClientRow).where(ClientRow.client_id == client_id, ClientRow.deleted_at.is_(None))
            if not connection.execute(existing.values(**nothing)).rowcount:
                return False
            ended = end_grants(connection, GrantRow.client_id == client_id)
            bump(connection)
            record(connection, event.about(client_id=client_id, detail={**event.detail, "grants": ended}))
        self._epoch.forget()
        return True

    def page(self, query: str, after: str | None, limit: int) -> Page[ClientListing]:
        """Clients whose name or id has *query* in it, newest first."""
        existing = select(ClientRow, LIVE_GRANTS).where(ClientRow.deleted_at.is_(None))
        if query:
            names = (ClientRow.name, ClientRow.client_id)
            existing = existing.where(or_(*(name.icontains(query, autoescape=True) for name in names)))
        with self._database.session() as session:
            rows = session.execute(NEWEST_FIRST.limit(existing, after, limit))
            found = [ClientListing(client_of(row), grants, row.last_used_at) for row, grants in rows]
        return cut(found, limit, lambda line: (line.client.created_at, line.client.client_id))

    def _change(self, existing: Update, event: Event) -> bool:
        with self._database.transaction() as connection:
            if not connection.execute(existing).rowcount:
                return False
            bump(connection)
            record(connection, event)
        self._epoch.forget()
        return True
