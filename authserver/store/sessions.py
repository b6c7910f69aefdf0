"""Browser sessions."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Connection, and_, bindparam, insert, select, update

from ..protocol.amr import Method
from ..protocol.audit import Event
from ..protocol.grant_term import BrowserSession
from .audit import record
from .clock import now
from .database import Database
from .ending import end_sessions, forget_browser
from .factors import has_factor
from .failures import repeatable
from .grant_ends import expire_on_device, expire_with_sessions, lengthen
from .letters import Letter, post
from .models import RememberedRow, SessionRow, UserRow
from .standing import Place, Stood, beside, stood
from .user import PERSON, User, user_of
from .users import has_password

TOUCH_SECONDS = 60
ALIVE = and_(
    SessionRow.ended_at.is_(None),
    SessionRow.expires_at > now,
    SessionRow.last_seen_at > now - bindparam("idle", type_=BigInteger),
    UserRow.disabled_at.is_(None),
)
LIVE = (
    select(
        *(getattr(SessionRow, name) for name in ("auth_time", "last_seen_at", "expires_at", "address", "methods")),
        SessionRow.recalled,
        *PERSON,
        now.label("now"),
        (now - SessionRow.auth_time).label("auth_age"),
        has_factor(UserRow.id).label("has_factor"),
        (SessionRow.role != UserRow.role).label("has_other_role"),
    )
    .join(UserRow, UserRow.id == SessionRow.user_id)
    .where(SessionRow.digest == bindparam("digest"), ALIVE)
)


LIVE_AND_STANDING = beside(LIVE, UserRow.id)


@dataclass(frozen=True, slots=True)
class Session:
    """A live session, by the digest of its cookie; times in Unix seconds.

    ``auth_time`` is when its person last proved who they are, by ``methods``, ``auth_age`` how many seconds ago;
    ``has_factor``: whether they have a second factor, which they need not have used. ``recalled``: a browser that stays
    opened it, so nobody proved anything in it. ``has_other_role``: their role has changed since it got its secret;
    ``ends_at`` is when it ends if they are not seen again. ``stood``: how they stood at a place, if that was asked.
    """

    digest: bytes
    user: User
    auth_time: int
    auth_age: int
    expires_at: int
    address: str
    methods: tuple[Method, ...] = ()
    has_factor: bool = False
    recalled: bool = False
    has_other_role: bool = False
    ends_at: int = 0
    stood: Stood | None = None

    @property
    def bounds(self) -> BrowserSession:
        """What grants that end with it need to know."""
        return BrowserSession(self.digest, self.ends_at)


@dataclass(frozen=True, slots=True)
class Staying:
    """A browser that is to stay signed in for ``lifetime`` seconds: digests of its name and of its first secret."""

    digest: bytes
    secret: bytes
    lifetime: int


@dataclass(frozen=True, slots=True)
class SessionListing:
    """A live session as the console lists it: from where and with which program it was opened, and its last use.

    ``remembered`` is the digest of the browser that stays signed in, if it is to.
    """

    digest: bytes
    address: str
    agent: str
    created_at: int
    last_seen_at: int
    expires_at: int
    remembered: bytes | None

    @property
    def id(self) -> str:
        """What pages and commands call it: its digest, which opens nothing."""
        return self.digest.hex()


class SessionStore:
    """Sessions of signed-in people."""

    def __init__(self, database: Database, idle: int) -> None:
        """A session ends after *idle* seconds without a request."""
        self._database = database
        self._idle = idle

    def open(  # noqa: PLR0913 - all that is known of a sign-in
        self,
        digest: bytes,
        user_id: str,
        lifetime: int,
        address: str,
        event: Event,
        *,
        agent: str = "",
        methods: Iterable[Method] = (Method.PASSWORD,),
        auth_age: int = 0,
        staying: Staying | None = None,
        recalled: bool = False,
        device_digest: bytes | None = None,
        seen: str | None = None,
    ) -> bool:
        """Begin a session of at most *lifetime* seconds, for someone who just signed in by *methods* with *agent*.

        They proved who they are *auth_age* seconds ago: an identity provider may have sessions of its own. *staying* is
        their browser, if it is to open further sessions by itself; *recalled*: so one stood before. With it ends what
        was to last as long as an earlier session on the device of *device_digest*, whoever's. False, and nothing is
        done, if their password has another hash than the one *seen*: what an old one opens, a new one has ended.
        """
        shared: dict[str, Any] = {"user_id": user_id, "address": address, "agent": agent, "methods": " ".join(methods)}
        shared["auth_time"] = now - auth_age
        with self._database.transaction() as connection:
            if seen is not None and not has_password(connection, user_id, seen):
                return False
            if staying is not None:
                stays = {"digest": staying.digest, "secret": staying.secret, "created_at": now, "used_at": now}
                stays["expires_at"] = now + staying.lifetime
                connection.execute(insert(RememberedRow).values(**shared, **stays))
            remembered = staying.digest if staying else None
            stands = {"remembered": remembered, "recalled": recalled}
            enter(connection, digest=digest, **shared, **stands, expires_at=now + lifetime)
            if device_digest is not None:
                expire_on_device(connection, device_digest)
            record(connection, event.about(user_id=user_id))
        return True

    @repeatable
    def find(self, digest: bytes, place: Place | None = None) -> Session | None:
        """The session, if it lives: not ended, not expired, not idle for too long, its person not disabled.

        With *place* it says how they stand there, by the same statement.
        """
        about = place._asdict() if place else {}
        live = LIVE_AND_STANDING if place else LIVE
        row = self._database.look_up(live, {"digest": digest, "idle": self._idle, **about})
        if row is None:
            return None
        seen_long_ago = row.last_seen_at <= row.now - TOUCH_SECONDS
        live_session = Session(
            digest=digest,
            user=user_of(row),
            auth_time=row.auth_time,
            auth_age=row.auth_age,
            expires_at=row.expires_at,
            address=row.address,
            methods=tuple(map(Method, row.methods.split())),
            has_factor=bool(row.has_factor),
            recalled=bool(row.recalled),
            has_other_role=bool(row.has_other_role),
            ends_at=min(row.expires_at, (row.now if seen_long_ago else row.last_seen_at) + self._idle),
            stood=stood(row, place) if place else None,
        )
        if seen_long_ago:
            self._touch(live_session)
        return live_session

    def of_user(self, user_id: str, limit: int) -> tuple[SessionListing, ...]:
        """The live sessions of a person, the one used last first, *limit* of them at the most."""
        columns = [getattr(SessionRow, name) for name in SessionListing.__slots__]
        theirs = select(*columns).join(UserRow, UserRow.id == SessionRow.user_id)
        theirs = theirs.where(SessionRow.user_id == user_id, ALIVE).limit(limit)
        newest = theirs.order_by(SessionRow.last_seen_at.desc(), SessionRow.digest)
        with self._database.reading() as connection:
            return tuple(SessionListing(*row) for row in connection.execute(newest, {"idle": self._idle}))

    def renew(
        self, digest: bytes, new: bytes, event: Event, methods: Iterable[Method] | None = None, auth_age: int = 0
    ) -> bool:
        """Let the session be found by *new* from now on, and no more by *digest*. False if it had ended.

        *methods* are those by which its person proved again who they are, *auth_age* seconds ago; None: they did not.
        """
        theirs = select(UserRow.role).where(UserRow.id == SessionRow.user_id).scalar_subquery()
        live = update(SessionRow).where(SessionRow.digest == digest, SessionRow.ended_at.is_(None))
        renewed = live.values(digest=new, role=theirs)
        if methods is not None:
            renewed = renewed.values(auth_time=now - auth_age, methods=" ".join(methods), recalled=False)
        with self._database.transaction() as connection:
            if not connection.execute(renewed).rowcount:
                return False
            record(connection, event)
        return True

    def end(self, digest: bytes, event: Event) -> bool:
        """End a session, with the grants that were to last as long; its browser does not stay signed in.

        False if it had ended.
        """
        live = and_(SessionRow.digest == digest, SessionRow.ended_at.is_(None))
        with self._database.transaction() as connection:
            found = connection.execute(select(SessionRow.remembered, SessionRow.user_id).where(live)).one_or_none()
            if found is None:
                return False
            if found.remembered:
                forget_browser(connection, found.remembered, found.user_id)
            elif not connection.execute(update(SessionRow).where(live).values(ended_at=now)).rowcount:
                return False
            expire_with_sessions(connection, found.user_id)
            record(connection, event)
        return True

    def end_all(self, user_id: str, event: Event, letter: Letter | None = None) -> int:
        """End all sessions of a person; returns how many, of which *letter* tells them if there were any."""
        with self._database.transaction() as connection:
            ended = end_sessions(connection, user_id)
            post(connection, letter if ended else None)
            record(connection, event.about(user_id=user_id, detail={**event.detail, "sessions": ended}))
        return ended

    def end_others(self, user_id: str, digest: bytes, new: bytes, event: Event) -> bool:
        """End all sessions of a person but the one of *digest*, which is found by *new* from now on.

        Like the others, its browser does not stay signed in. False if it had ended too.
        """
        own = update(SessionRow).where(SessionRow.digest == digest, SessionRow.ended_at.is_(None))
        with self._database.transaction() as connection:
            ended = end_sessions(connection, user_id, but=digest)
            goes_on = connection.execute(own.values(digest=new, remembered=None)).rowcount == 1
            record(connection, event.about(user_id=user_id, detail={**event.detail, "sessions": ended}))
        return goes_on

    def _touch(self, session: Session) -> None:
        seen = update(SessionRow).where(SessionRow.digest == session.digest, SessionRow.ended_at.is_(None))
        with self._database.transaction() as connection:
            if connection.execute(seen.values(last_seen_at=now)).rowcount:
                lengthen(connection, session.bounds)


def enter(connection: Connection, **columns: object) -> None:
    """Add a session that begins now."""
    role = select(UserRow.role).where(UserRow.id == columns["user_id"]).scalar_subquery()
    connection.execute(insert(SessionRow).values(**columns, role=role, created_at=now, last_seen_at=now))
