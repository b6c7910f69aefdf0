"""Browsers that stay signed in: each opens sessions by itself, by a token that is good for one of them."""

from dataclasses import dataclass

from sqlalchemy import Connection, and_, select, update

from ..protocol.audit import Event
from .audit import record
from .clock import now
from .database import Database
from .ending import end_sessions_of, forget_browser
from .letters import Letter, post
from .models import RememberedRow, UserRow
from .sessions import enter
from .user import User, user_of

ROW = RememberedRow
LIVES = and_(ROW.ended_at.is_(None), ROW.expires_at > now)
NOBODYS = b""  # in place of the digest of a secret, once it was told that there is a copy
WATCHED = and_(ROW.secret != NOBODYS, ROW.expires_at > now)
"""One that stays signed in, or did: a thief may have ended it, and its person has not been told yet."""


@dataclass(frozen=True, slots=True)
class Presented:
    """A token that a browser presents, by digests: its name and secret, the next secret, and the session to open."""

    digest: bytes
    secret: bytes
    successor: bytes
    session: bytes


@dataclass(frozen=True, slots=True)
class Copied:
    """What is told where a token was copied: in the trail, and to its person."""

    event: Event
    letter: Letter | None


@dataclass(frozen=True, slots=True)
class RememberedListing:
    """A browser that stays signed in, as its person sees it; moments in Unix seconds."""

    digest: bytes
    address: str
    agent: str
    created_at: int
    last_seen_at: int
    expires_at: int

    @property
    def id(self) -> str:
        """What pages call it: its digest, which opens nothing."""
        return self.digest.hex()


class RememberedStore:
    """Browsers that stay signed in, by the digest of their name. They begin with a session (`SessionStore.open`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def person(self, digest: bytes) -> User | None:
        """Whose browser it is, or was until it stayed no longer, if they may sign in; nobody's once a copy was told."""
        wanted = select(UserRow).join(ROW, ROW.user_id == UserRow.id).where(ROW.digest == digest, WATCHED)
        with self._database.session() as session:
            row = session.scalars(wanted.where(UserRow.disabled_at.is_(None))).one_or_none()
            return None if row is None else user_of(row)

    def recall(
        self, presented: Presented, lifetime: int, address: str, agent: str, window: int, event: Event, copied: Copied
    ) -> int | None:
        """Open a session of at most *lifetime* seconds, and return for how many more the browser stays signed in.

        A token that was used opens that session again within *window* seconds, for tabs that were opened at one
        instant. Later it is a copy: the browser does not stay signed in, all its sessions end, and *copied* tells of
        it, once; also where it stayed no longer, for a thief who is done may have signed out. None for that, and for a
        browser that does not stay or whose person is disabled.
        """
        mine = select(ROW.secret, ROW.previous, (now - ROW.used_at).label("age"), now.label("now"), ROW.expires_at)
        mine = mine.add_columns(ROW.user_id, ROW.auth_time, ROW.methods, ROW.ended_at)
        theirs = mine.join(UserRow, UserRow.id == ROW.user_id).where(UserRow.disabled_at.is_(None))
        wanted = theirs.where(ROW.digest == presented.digest, WATCHED)
        with self._database.transaction() as connection:
            found = connection.execute(wanted.with_for_update(of=ROW)).one_or_none()
            if found is None:
                return None
            # Ages are whole seconds, rounded down at both ends: one more than the window may be just within it.
            is_tab = presented.secret == found.previous and found.age <= window
            if presented.secret != found.secret and not is_tab:
                _tell(connection, presented.digest, found.user_id, copied)
                return None
            if found.ended_at is not None:
                return None
            if not is_tab:
                _rotate(connection, presented, found.user_id, address, agent)
                stem = {"user_id": found.user_id, "auth_time": found.auth_time, "methods": found.methods}
                # Both of one statement: a later one may see a later second.
                ends = min(found.now + lifetime, found.expires_at)
                where = {"digest": presented.session, "remembered": presented.digest, "expires_at": ends}
                enter(connection, **stem, **where, address=address, agent=agent, recalled=True)
                record(connection, event)
            return int(found.expires_at - found.now)

    def of_user(self, user_id: str, limit: int) -> tuple[RememberedListing, ...]:
        """The browsers with which a person stays signed in, the one used last first, *limit* of them at the most."""
        columns = (ROW.digest, ROW.address, ROW.agent, ROW.created_at, ROW.used_at, ROW.expires_at)
        theirs = select(*columns).where(ROW.user_id == user_id, LIVES).order_by(ROW.used_at.desc(), ROW.digest)
        with self._database.reading() as connection:
            return tuple(RememberedListing(*row) for row in connection.execute(theirs.limit(limit)))

    def forget(self, digest: bytes, event: Event) -> bool:
        """Let a browser stay no longer; its session ends too. False if it did not."""
        whose = select(ROW.user_id).where(ROW.digest == digest)
        with self._database.transaction() as connection:
            user_id = connection.scalar(whose)
            if user_id is None or not forget_browser(connection, digest, user_id):
                return False
            record(connection, event.about(user_id=user_id))
        return True


def _tell(connection: Connection, digest: bytes, user_id: str, copied: Copied) -> None:
    forget_browser(connection, digest, user_id)
    connection.execute(update(ROW).where(ROW.digest == digest).values(secret=NOBODYS, previous=None))
    post(connection, copied.letter)
    record(connection, copied.event)


def _rotate(connection: Connection, presented: Presented, user_id: str, address: str, agent: str) -> None:
    used = {"secret": presented.successor, "previous": presented.secret, "used_at": now}
    place = {"address": address, "agent": agent}
    connection.execute(update(ROW).where(ROW.digest == presented.digest).values(**used, **place))
    # A browser has lost the session whose place another one takes.
    end_sessions_of(connection, presented.digest, user_id)
