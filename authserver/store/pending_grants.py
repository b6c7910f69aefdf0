"""What rules let an administrator allow first: requests of people, and what became of them."""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, select, update
from sqlalchemy.orm import Session

from ..protocol import credential
from ..protocol.audit import Event
from ..protocol.client import Client
from ..protocol.msg import msg
from .audit import record
from .authority import words
from .cache import RecentlyUsed
from .client_row import client_of
from .clock import now
from .database import Database
from .epoch import ConfigEpoch, bump
from .models import ClientRow, PendingGrantRow, UserRow
from .models.pending_grant import IN_FORCE
from .paging import Order, Page, cut

MOST_WAITING = 20
"""Requests of one person that wait at a time."""

MOST_KEPT, KEPT_SECONDS = 10_000, 5.0
NEWEST_FIRST = Order(PendingGrantRow.created_at, PendingGrantRow.id)
WAITS = (PendingGrantRow.state == "waiting", PendingGrantRow.expires_at > now)
ABOUT = (
    PendingGrantRow.user_id == bindparam("user_id"),
    PendingGrantRow.client_id == bindparam("client_id"),
    PendingGrantRow.resource == bindparam("resource"),
)
APPROVED = select(PendingGrantRow.approved, PendingGrantRow.client_identity).where(*ABOUT)
STANDING = select(
    PendingGrantRow.id,
    PendingGrantRow.asked,
    PendingGrantRow.approved,
    PendingGrantRow.client_identity,
    PendingGrantRow.state,
    (PendingGrantRow.expires_at > now).label("counts"),
).where(*ABOUT)
ASKER = select(UserRow.id).where(UserRow.id == bindparam("user_id")).with_for_update(key_share=True)
"""Locked first, so that a person asks for one thing after the other, and what waits can be counted."""

LISTED = (
    select(PendingGrantRow, UserRow.username, ClientRow)
    .join(UserRow, UserRow.id == PendingGrantRow.user_id)
    .join(ClientRow, and_(ClientRow.client_id == PendingGrantRow.client_id, ClientRow.deleted_at.is_(None)))
)
APPROVALS = LISTED.where(IN_FORCE)


class State(StrEnum):
    """What became of a request."""

    WAITING = msg("waiting")
    APPROVED = msg("approved")
    DENIED = msg("denied")


@dataclass(frozen=True, slots=True)
class Requester:
    """Who, through which client as it is now (`protocol.client.Client.identity`), at which server."""

    user_id: str
    client_id: str
    client_identity: bytes
    resource: str

    @property
    def about(self) -> dict[str, str]:
        """What finds their request."""
        return {"user_id": self.user_id, "client_id": self.client_id, "resource": self.resource}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants: ``asked`` are keys of items, ``rule`` has an administrator decide on them."""

    by: Requester
    asked: tuple[str, ...]
    rule: str


@dataclass(frozen=True, slots=True)
class PendingGrant:
    """A request as administrators see it, and its ``client`` as that is now; times in Unix seconds."""

    id: str
    wanted: Wanted
    username: str
    client: Client
    approved: tuple[str, ...]
    state: State
    created_at: int
    expires_at: int
    decided_by: str | None

    @property
    def has_changed(self) -> bool:
        """Whether its client is another one to people by now: what was asked for is for nobody then."""
        return self.client.identity != self.wanted.by.client_identity

    @property
    def client_name(self) -> str:
        """What its client calls itself, while it is the one that was asked for."""
        return "an app that has changed since" if self.has_changed else self.client.name

    @property
    def seen(self) -> bytes:
        """Stands for what is asked for, and for what its client is to people now."""
        return hashlib.sha256(json.dumps([self.client.identity.hex(), *self.wanted.asked]).encode()).digest()


class TooManyWait(Exception):
    """This person has as many requests waiting as there may be."""


class PendingGrantStore:
    """Requests. At most one of a person for a client at a server."""

    def __init__(self, database: Database, epoch: ConfigEpoch) -> None:
        """*epoch* tells other processes what was decided."""
        self._database = database
        self._epoch = epoch
        self.recent: RecentlyUsed[frozenset[str]] = RecentlyUsed(MOST_KEPT, KEPT_SECONDS)

    def approved(self, by: Requester) -> frozenset[str]:
        """The keys of what was approved. May be some seconds old, but never older than a decision by a second.

        Nothing, if the client has changed since.
        """
        epoch, key = self._epoch.current(), "\n".join((*by.about.values(), by.client_identity.hex()))
        found = self.recent.get(key, epoch)
        if found is None:
            row = self._database.look_up(APPROVED, by.about)
            found = frozenset(words(row.approved) if row and row.client_identity == by.client_identity else ())
            self.recent.keep(key, found, epoch)
        return found

    def state(self, wanted: Wanted) -> State | None:
        """What became of *wanted*, if it waits or was denied of late."""
        with self._database.reading() as connection:
            found = connection.execute(STANDING, wanted.by.about).one_or_none()
            return _state(found, wanted)

    def ask(self, wanted: Wanted, lifetime: int, event: Event) -> State:
        """Have *wanted* wait for *lifetime* seconds; what waits or was denied of late is not asked for again.

        Returns what it is then: waiting or denied. Raises `TooManyWait`.
        """
        about, identity = wanted.by.about, wanted.by.client_identity
        waits = {"state": State.WAITING.value, "created_at": now, "expires_at": now + lifetime}
        asks = {**waits, "rule": wanted.rule, "asked": wanted.asked, "decided_at": None, "decided_by": None}
        new = {"id": credential.identifier(), "approved": (), "client_identity": identity, **about, **asks}
        with self._database.transaction() as connection:
            connection.execute(ASKER, about)
            found = connection.execute(STANDING.with_for_update(), about).one_or_none()
            if (state := _state(found, wanted)) is not None:
                return state
            _check_room(connection, wanted.by.user_id)
            held = found.approved if found and found.client_identity == identity else ()
            again = update(PendingGrantRow).where(PendingGrantRow.id == (found.id if found else ""))
            first = self._database.insert(PendingGrantRow).values(**new).on_conflict_do_nothing()
            change = again.values(**asks, approved=held, client_identity=identity) if found else first
            if connection.execute(change).rowcount:
                detail = {"asked": list(wanted.asked), "rule": wanted.rule, "request": found.id if found else new["id"]}
                record(connection, event.about(**about, detail=detail))
        return State.WAITING

    def decide(self, request_id: str, seen: bytes, state: State, event: Event) -> bool:
        """Approve or deny what waits, if it is what was `PendingGrant.seen`; False if it is not, or waits no more.

        What was asked for a client that has changed since is not approved, whatever was seen.
        """
        with self._database.transaction() as connection:
            found = _waiting(connection, request_id)
            if found is None or found.seen != seen or (state is State.APPROVED and found.has_changed):
                return False
            added = found.wanted.asked if state is State.APPROVED else ()
            self._write(connection, request_id, state, tuple(dict.fromkeys((*found.approved, *added))), event)
        self._epoch.forget()
        return True

    def withdraw(self, request_id: str, seen: Collection[str], event: Event) -> bool:
        """Take back all that was approved, if that is what was *seen*; else False, with nothing done.

        What waits beside it goes on waiting. Tokens feel it at their next refresh.
        """
        held = select(PendingGrantRow.approved, PendingGrantRow.state).where(PendingGrantRow.id == request_id)
        with self._database.transaction() as connection:
            row = connection.execute(held.with_for_update()).one_or_none()
            if row is None or not row.approved or set(row.approved) != set(seen):
                return False
            state = State.WAITING if row.state == State.WAITING.value else State.DENIED
            about = event.about(detail={**event.detail, "withdrawn": list(row.approved)})
            self._write(connection, request_id, state, (), about)
        self._epoch.forget()
        return True

    def find(self, request_id: str) -> PendingGrant | None:
        """The request of that id."""
        with self._database.session() as session:
            row = session.execute(LISTED.where(PendingGrantRow.id == request_id)).one_or_none()
            return _listing(row) if row else None

    def page(self, state: State, after: str | None, limit: int) -> Page[PendingGrant]:
        """Requests in that *state*, newest first; of those that wait only what has not expired.

        Approved is whatever is in force, also while more is asked for or was denied.
        """
        wanted = LISTED.where(PendingGrantRow.state == state.value) if state is not State.APPROVED else APPROVALS
        if state is State.WAITING:
            wanted = wanted.where(PendingGrantRow.expires_at > now)
        with self._database.session() as session:
            found = [_listing(row) for row in session.execute(NEWEST_FIRST.limit(wanted, after, limit))]
        return cut(found, limit, lambda line: (line.created_at, line.id))

    def count_waiting(self, most: int) -> int:
        """How many wait; counts to *most*."""
        there = and_(ClientRow.client_id == PendingGrantRow.client_id, ClientRow.deleted_at.is_(None))
        some = select(PendingGrantRow.id).join(ClientRow, there).where(*WAITS).limit(most).subquery()
        with self._database.reading() as connection:
            return connection.scalar(select(func.count()).select_from(some)) or 0

    def expire(self, limit: int, event: Event) -> int:
        """End at most *limit* that waited too long, as a no that stands no longer; returns how many."""
        overdue = select(PendingGrantRow.id, PendingGrantRow.approved).where(
            PendingGrantRow.state == State.WAITING.value, PendingGrantRow.expires_at <= now
        )
        with self._database.transaction() as connection:
            found = connection.execute(overdue.limit(limit).with_for_update(skip_locked=True)).all()
            for row in found:
                state = State.APPROVED if row.approved else State.DENIED
                self._write(connection, row.id, state, row.approved, event)
        return len(found)

    def _write(
        self, connection: Connection, request_id: str, state: State, approved: tuple[str, ...], event: Event
    ) -> None:
        decided = {"state": state.value, "approved": approved, "decided_at": now, "decided_by": event.actor}
        columns = (PendingGrantRow.user_id, PendingGrantRow.client_id, PendingGrantRow.resource, PendingGrantRow.asked)
        changed = update(PendingGrantRow).where(PendingGrantRow.id == request_id).values(decided).returning(*columns)
        row = connection.execute(changed).one()
        bump(connection)
        about = {"user_id": row.user_id, "client_id": row.client_id, "resource": row.resource}
        record(connection, event.about(**about, detail={**event.detail, "asked": list(row.asked)}))


def _waiting(connection: Connection, request_id: str) -> PendingGrant | None:
    """What waits under that id; locked with its client, first that, as by whoever ends clients."""
    waits = LISTED.where(PendingGrantRow.id == request_id, *WAITS)
    with Session(connection) as session:
        row = session.execute(waits.with_for_update(of=(ClientRow, PendingGrantRow))).one_or_none()
        return _listing(row) if row else None


def _listing(found: Any) -> PendingGrant:  # noqa: ANN401 - its columns are those of LISTED
    row, username, client = found
    return PendingGrant(
        id=row.id,
        wanted=Wanted(Requester(row.user_id, row.client_id, row.client_identity, row.resource), row.asked, row.rule),
        username=username,
        client=client_of(client),
        approved=row.approved,
        state=State(row.state),
        created_at=row.created_at,
        expires_at=row.expires_at,
        decided_by=row.decided_by,
    )


def _state(found: Any, wanted: Wanted) -> State | None:  # noqa: ANN401 - its columns are those of STANDING
    """What the row *found* says of *wanted*; None if that is to be asked for (again)."""
    if found is None or not found.counts or found.client_identity != wanted.by.client_identity:
        return None
    decided = found.state != State.APPROVED and {*wanted.asked} <= {*found.asked}
    return State(found.state) if decided else None


def _check_room(connection: Connection, user_id: str) -> None:
    counted = select(func.count()).where(PendingGrantRow.user_id == user_id, *WAITS)
    if (connection.scalar(counted) or 0) >= MOST_WAITING:
        raise TooManyWait
