"""Registered clients: implements `protocol.ports.Clients`."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Update, and_, bindparam, func, literal_column, not_, select, true, update
from sqlalchemy.orm import Session

from ..protocol.audit import Event
from ..protocol.client import Client, ClientKind
from . import own_places, postgresql, sqlite
from .audit import record
from .cache import RecentlyUsed
from .client_row import changeable, client_of, lasting
from .clock import now
from .counting import counted_grants, shown
from .database import Database
from .ending import end_grants
from .epoch import ConfigEpoch, bump
from .models import ClientRow, GrantRow
from .paging import Order, Page, cut
from .searching import Name, Searched

CACHED_CLIENTS = 10_000
CACHED_SECONDS = 5.0
REGISTER = {"postgresql": postgresql.register, "sqlite": sqlite.register}
EXISTING = select(ClientRow).where(ClientRow.client_id == bindparam("client_id"), ClientRow.deleted_at.is_(None))
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

    def has_guard(self, resource: str) -> bool:
        """Whether the guard of *resource* has an identity here."""
        guards = select(ClientRow.extra).where(
            ClientRow.kind == ClientKind.RESOURCE_SERVER, ClientRow.deleted_at.is_(None)
        )
        with self._database.reading() as connection:
            return any(extra.get("resource") == resource for extra in connection.scalars(guards))

    def tombstoned(self, client_id: str) -> bool:
        """Whether there was a client of that id, and it was deleted."""
        deleted = select(ClientRow.deleted_at).where(ClientRow.client_id == client_id)
        with self._database.reading() as connection:
            return connection.execute(deleted).scalar_one_or_none() is not None

    def register(
        self, client: Client, event: Event, *, ticket: bytes | None = None, fingerprint: bytes | None = None
    ) -> str | None:
        """Save a new client and return its id; None, with nothing done, if *ticket* admits no (further) one.

        *ticket* is the digest of an initial access token, of which this is one use. Where *fingerprint* is given, all
        who register with the same one get the same client, which the first of them made; whoever is next renews it.
        """
        return REGISTER[self._database.dialect](self._database, client, event, ticket=ticket, fingerprint=fingerprint)

    def preregister(self, client: Client, event: Event) -> bool:
        """Save a new client of an id that an administrator or its own URL chose; False if there is one of that id.

        The id of a client that was deleted may be used again: nothing of the former one is left but the id.
        """
        columns = {**lasting(client), **changeable(client), "declared": client.declared}
        forgotten = {"deleted_at": None, "suspended_at": None, "last_used_at": None, "fingerprint": None}
        anew = {getattr(ClientRow, name): value for name, value in {**columns, **forgotten}.items()}
        wanted = self._database.insert(ClientRow).values(columns)
        wanted = wanted.on_conflict_do_update(
            index_elements=["client_id"], set_=anew, where=ClientRow.deleted_at.is_not(None)
        )
        with self._database.transaction() as connection:
            with own_places.kept(connection, client.client_id):
                if connection.execute(wanted.returning(ClientRow.client_id)).first() is None:
                    return False
                # A decision that raced with the deletion may have left one.
                end_grants(connection, GrantRow.client_id == client.client_id)
            bump(connection)
            record(connection, event.about(client_id=client.client_id))
        self._epoch.forget()
        return True

    def update(
        self,
        client: Client,
        event: Event,
        *,
        registration: bytes | None = None,
        secret: bytes | None = None,
        hold: bool = False,
    ) -> bool:
        """Replace what a client says of itself and its credentials; False if it is gone.

        Where *registration* is given, only if that is still the digest of its registration access token: of two
        concurrent updates with one token, the second finds it rotated. The same goes for *secret*, so that no update
        takes a rotation back. *hold*: it waits for approval from now on.
        """
        existing = update(ClientRow).where(ClientRow.client_id == client.client_id, ClientRow.deleted_at.is_(None))
        if registration is not None:
            existing = existing.where(ClientRow.registration_digest == registration)
        if secret is not None:
            existing = existing.where(ClientRow.secret_digest == secret)
        if hold:
            existing = existing.values(pending_since=func.coalesce(ClientRow.pending_since, now))
        return self._change(client.client_id, existing.values(**changeable(client)), event)

    def approve(self, client_id: str, identity: bytes, event: Event) -> bool:
        """Let a waiting client act; False if it is gone or waits no longer.

        Also False if it is not what the administrator saw any more: *identity* is `Client.identity` as it was shown.
        """
        waiting = EXISTING.where(ClientRow.pending_since.is_not(None)).with_for_update()
        with self._database.transaction() as connection, Session(connection) as session:
            row = session.scalars(waiting, {"client_id": client_id}).one_or_none()
            if row is None or client_of(row).identity != identity:
                return False
            connection.execute(update(ClientRow).where(ClientRow.client_id == client_id).values(pending_since=None))
            bump(connection)
            record(connection, event.about(client_id=client_id))
        self._epoch.forget()
        return True

    def refuse(self, client_id: str, event: Event) -> bool:
        """End a waiting client; False if it is gone or waits no longer.

        One that registered is deleted. One with a metadata document is suspended: it would only be fetched again.
        """
        waiting, is_document = ClientRow.pending_since.is_not(None), ClientRow.kind == ClientKind.METADATA_DOCUMENT
        held = update(ClientRow).where(ClientRow.client_id == client_id, ClientRow.deleted_at.is_(None), waiting)
        suspended = held.where(is_document).values(suspended_at=now)
        about = event.about(client_id=client_id)
        return self._change(client_id, suspended, about) or self._end(
            client_id, about, and_(waiting, not_(is_document))
        )

    def waiting(self, most: int) -> int:
        """How many clients wait for approval; counts to *most*."""
        some = select(ClientRow.client_id).where(ClientRow.pending_since.is_not(None), ClientRow.deleted_at.is_(None))
        with self._database.reading() as connection:
            return connection.execute(select(func.count()).select_from(some.limit(most).subquery())).scalar_one()

    def set_suspended(self, client_id: str, suspended: bool, event: Event) -> bool:
        """Stop a client, or let it act again; its grants stay. False if it is gone."""
        existing = update(ClientRow).where(ClientRow.client_id == client_id, ClientRow.deleted_at.is_(None))
        return self._change(client_id, existing.values(suspended_at=now if suspended else None), event)

    def rotate_secret(self, client_id: str, digest: bytes, overlap: int, event: Event) -> bool:
        """Give a client another secret; the one until now is good for *overlap* seconds more, any before it no longer.

        False if it is gone, or has no secret.
        """
        existing = update(ClientRow).where(
            ClientRow.client_id == client_id, ClientRow.deleted_at.is_(None), ClientRow.secret_digest.is_not(None)
        )
        until_now = {
            "previous_secret_digest": ClientRow.secret_digest if overlap else None,
            "previous_secret_until": now + overlap if overlap else None,
        }
        return self._change(client_id, existing.values(secret_digest=digest, **until_now), event)

    def set_ceiling(self, client_id: str, resource: str, scopes: tuple[str, ...], event: Event) -> bool:
        """Say what a client may get for itself at *resource*, in place of what it might. False if it is gone."""
        existing = (ClientRow.client_id == client_id, ClientRow.deleted_at.is_(None))
        with self._database.transaction() as connection:
            with own_places.kept(connection, client_id):
                ceilings = connection.scalar(select(ClientRow.ceilings).where(*existing).with_for_update())
                if ceilings is None:
                    return False
                others = {other: held for other, held in ceilings.items() if other != resource}
                changed = others | ({resource: list(scopes)} if scopes else {})
                connection.execute(update(ClientRow).where(*existing).values(ceilings=changed))
            bump(connection)
            record(connection, event)
        self._epoch.forget()
        return True

    def delete(self, client_id: str, event: Event) -> bool:
        """End a client with its grants, families and codes; its id stays known as deleted. False if it is gone."""
        return self._end(client_id, event, true())

    def declared(self) -> tuple[Client, ...]:
        """The clients that a file made (CR-11), oldest first."""
        existing = select(ClientRow).where(ClientRow.declared, ClientRow.deleted_at.is_(None))
        with self._database.session() as session:
            return tuple(map(client_of, session.scalars(existing.order_by(ClientRow.created_at, ClientRow.client_id))))

    def page(self, query: str, after: str | None, limit: int, *, waiting: bool = False) -> Page[ClientListing]:
        """Clients whose name or id has *query* in it, newest first; only those that wait for approval if *waiting*."""
        existing = (LISTED, ClientRow.pending_since.is_not(None) if waiting else true())
        found: list[ClientListing] = []
        with self._database.session() as session:
            for way in SEARCHED.ways(query, after, limit, self._database.dialect, *existing):
                wanted = select(ClientRow, LIVE_GRANTS).where(way)
                rows = session.execute(NEWEST_FIRST.limit(wanted, after, limit))
                found = [ClientListing(client_of(row), grants, row.last_used_at) for row, grants in rows]
                if len(found) > limit:
                    break
        return cut(found, limit, lambda line: (line.client.created_at, line.client.client_id))

    def _end(self, client_id: str, event: Event, which: ColumnElement[bool]) -> bool:
        nothing = {
            "secret_digest": None, "previous_secret_digest": None, "registration_digest": None, "deleted_at": now,
        }  # fmt: skip
        existing = update(ClientRow).where(ClientRow.client_id == client_id, ClientRow.deleted_at.is_(None))
        with self._database.transaction() as connection:
            with own_places.kept(connection, client_id):
                if not connection.execute(existing.where(which).values(**nothing)).rowcount:
                    return False
                ended = end_grants(connection, GrantRow.client_id == client_id)
            bump(connection)
            record(connection, event.about(client_id=client_id, detail={**event.detail, "grants": ended}))
        self._epoch.forget()
        return True

    def _change(self, client_id: str, existing: Update, event: Event) -> bool:
        with self._database.transaction() as connection:
            with own_places.kept(connection, client_id):
                if not connection.execute(existing).rowcount:
                    return False
            bump(connection)
            record(connection, event)
        self._epoch.forget()
        return True
