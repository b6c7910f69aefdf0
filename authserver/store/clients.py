"""Registered clients: implements `protocol.ports.Clients`."""

from sqlalchemy import ColumnElement, Update, and_, func, not_, select, true, update
from sqlalchemy.orm import Session

from ..protocol.audit import Event
from ..protocol.client import HELD_DOCUMENT, Client, ClientKind
from . import client_versions, own_places, postgresql, sqlite
from .audit import record
from .cache import RecentlyUsed
from .client_listing import ClientListing, page_of
from .client_row import EXISTING, changeable, client_of, lasting, unchanged
from .clock import now
from .database import Database
from .ending import end_grants, end_requests
from .epoch import ConfigEpoch, bump
from .failures import repeatable
from .models import ClientRow, GrantRow, PendingGrantRow
from .paging import Page

CACHED_CLIENTS = 10_000
CACHED_SECONDS = 5.0
REGISTER = {"postgresql": postgresql.register, "sqlite": sqlite.register}
NO_PREVIOUS: dict[str, None] = {"previous_secret_digest": None, "previous_secret_until": None}


class ClientStore:
    """Clients. One that was deleted or never was is None; its tombstone tells the two apart (CR-15)."""

    def __init__(self, database: Database, epoch: ConfigEpoch) -> None:
        """*epoch* tells when another process changed a client."""
        self._database = database
        self._epoch = epoch
        self.recent: RecentlyUsed[Client] = RecentlyUsed(CACHED_CLIENTS, CACHED_SECONDS)

    def find(self, client_id: str) -> Client | None:
        """The client of that id, suspended or not; None if there is none. At most a second older than any change."""
        epoch = self._epoch.current()
        client = self.recent.get(client_id, epoch)
        if client is None:
            client = self.find_fresh(client_id)
            if client is not None:
                self.recent.keep(client_id, client, epoch)
        return client

    @repeatable
    def find_fresh(self, client_id: str) -> Client | None:
        """The client as it stands now."""
        with self._database.session() as session:
            row = session.scalars(EXISTING, {"client_id": client_id}).one_or_none()
            return None if row is None else client_of(row)

    def last_used(self, client_id: str) -> int | None:
        """When a person allowed the client something last (Unix seconds, true to the hour); None if nobody ever did."""
        with self._database.reading() as connection:
            return connection.scalar(select(ClientRow.last_used_at).where(ClientRow.client_id == client_id))

    def guards(self, resource: str) -> tuple[str, ...]:
        """The client ids of the guards of *resource*, whose identity is here."""
        guard = and_(ClientRow.kind == ClientKind.RESOURCE_SERVER, ClientRow.deleted_at.is_(None))
        with self._database.reading() as connection:
            found = connection.execute(select(ClientRow.client_id, ClientRow.extra).where(guard))
            return tuple(name for name, extra in found if extra.get("resource") == resource)

    def has_guard(self, resource: str) -> bool:
        """Whether the guard of *resource* has an identity here."""
        return bool(self.guards(resource))

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
                client_versions.forget(connection, client.client_id)
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
        before: Client | None = None,
        hold: bool = False,
    ) -> bool:
        """Replace what a client says of itself and its credentials; False if it is gone.

        Where *registration* is given, only if that is still the digest of its registration access token: of two
        concurrent updates with one token, the second finds it rotated. The same goes for *secret*, so that no update
        takes a rotation back; and for all that is replaced, where *before* says what that was. *hold*: it waits for
        approval from now on.
        """
        existing = update(ClientRow).where(ClientRow.client_id == client.client_id, ClientRow.deleted_at.is_(None))
        if registration is not None:
            existing = existing.where(ClientRow.registration_digest == registration)
        if secret is not None:
            existing = existing.where(ClientRow.secret_digest == secret)
        if hold:
            existing = existing.values(pending_since=func.coalesce(ClientRow.pending_since, now))
        held_since = now if HELD_DOCUMENT in client.metadata else None
        existing = existing.values(**changeable(client), held_since=held_since)
        return self._change(client.client_id, existing, event, says=True, before=before)

    def settle(self, client: Client, event: Event) -> bool:
        """Replace *client*, a change of which was held; False if none is held any more."""
        existing = update(ClientRow).where(ClientRow.client_id == client.client_id, ClientRow.deleted_at.is_(None))
        settled = existing.where(ClientRow.held_since.is_not(None)).values(**changeable(client), held_since=None)
        return self._change(client.client_id, settled, event, says=True)

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

    def rotate_secret(
        self, client_id: str, digest: bytes, overlap: int, event: Event, until_now: bytes | None = None
    ) -> bool:
        """Give a client another secret; the one until now is good for *overlap* seconds more, any before it no longer.

        False if it is gone, or has no secret; or not the one *until_now* that the caller saw, where that is given.
        """
        existing = update(ClientRow).where(
            ClientRow.client_id == client_id, ClientRow.deleted_at.is_(None), ClientRow.secret_digest.is_not(None)
        )
        if until_now is not None:
            existing = existing.where(ClientRow.secret_digest == until_now)
        overlapping = {
            "previous_secret_digest": ClientRow.secret_digest if overlap else None,
            "previous_secret_until": now + overlap if overlap else None,
        }
        return self._change(client_id, existing.values(secret_digest=digest, **overlapping), event)

    def set_ceiling(
        self, client_id: str, resource: str, scopes: tuple[str, ...], event: Event, secret: bytes | None = None
    ) -> bool:
        """Say what a client may get for itself at *resource*, in place of what it might. False if it is gone.

        With *secret*, the digest of one, that is the only one that it has from now on.
        """
        existing = (ClientRow.client_id == client_id, ClientRow.deleted_at.is_(None))
        with self._database.transaction() as connection:
            with own_places.kept(connection, client_id):
                ceilings = connection.scalar(select(ClientRow.ceilings).where(*existing).with_for_update())
                if ceilings is None:
                    return False
                others = {other: held for other, held in ceilings.items() if other != resource}
                changed = others | ({resource: list(scopes)} if scopes else {})
                anew = {} if secret is None else {"secret_digest": secret, **NO_PREVIOUS}
                connection.execute(update(ClientRow).where(*existing).values(ceilings=changed, **anew))
            bump(connection)
            record(connection, event)
        self._epoch.forget()
        return True

    def delete(self, client_id: str, event: Event, *, before: Client | None = None) -> bool:
        """End a client with its grants, families and codes; its id stays known as deleted. False if it is gone.

        Also False if it is not what *before* says any more, where that is given.
        """
        return self._end(client_id, event, true(), before)

    def declared(self) -> tuple[Client, ...]:
        """The clients that a file made (CR-11), oldest first."""
        return self._existing(ClientRow.declared.is_(True))

    def preregistered(self) -> tuple[Client, ...]:
        """The clients that an administrator registered (CR-11), oldest first."""
        return self._existing(ClientRow.kind == ClientKind.PREREGISTERED)

    def _existing(self, which: ColumnElement[bool]) -> tuple[Client, ...]:
        existing = select(ClientRow).where(which, ClientRow.deleted_at.is_(None))
        with self._database.session() as session:
            return tuple(map(client_of, session.scalars(existing.order_by(ClientRow.created_at, ClientRow.client_id))))

    def page(
        self,
        query: str,
        after: str | None,
        limit: int,
        *,
        waiting: bool = False,
        held: bool = False,
        likeness: bytes | None = None,
    ) -> Page[ClientListing]:
        """Clients whose name or id has *query* in it, newest first.

        Only those that wait for approval if *waiting*, those with a changed document that waits if *held*, those with
        this *likeness* if it is given.
        """
        which = [ClientRow.likeness == likeness] if likeness is not None else []
        which += [ClientRow.pending_since.is_not(None)] if waiting else []
        which += [ClientRow.held_since.is_not(None)] if held else []
        return page_of(self._database, query, which, after, limit)

    def _end(self, client_id: str, event: Event, which: ColumnElement[bool], before: Client | None = None) -> bool:
        nothing = {
            "secret_digest": None, "previous_secret_digest": None, "registration_digest": None, "deleted_at": now,
        }  # fmt: skip
        existing = update(ClientRow).where(ClientRow.client_id == client_id, ClientRow.deleted_at.is_(None))
        with self._database.transaction() as connection:
            if before is not None and not unchanged(connection, before):
                return False
            with own_places.kept(connection, client_id):
                if not connection.execute(existing.where(which).values(**nothing)).rowcount:
                    return False
                ended = end_grants(connection, GrantRow.client_id == client_id)
                end_requests(connection, PendingGrantRow.client_id == client_id)
            bump(connection)
            record(connection, event.about(client_id=client_id, detail={**event.detail, "grants": ended}))
        self._epoch.forget()
        return True

    def _change(
        self, client_id: str, existing: Update, event: Event, *, says: bool = False, before: Client | None = None
    ) -> bool:
        """*says*: it may say something else of itself afterwards."""
        with self._database.transaction() as connection:
            if before is not None and not unchanged(connection, before):
                return False
            with own_places.kept(connection, client_id):
                said = client_versions.said(connection, client_id) if says else None
                if not connection.execute(existing).rowcount:
                    return False
                if said is not None:
                    client_versions.keep(connection, client_id, said, event)
            bump(connection)
            record(connection, event)
        self._epoch.forget()
        return True
