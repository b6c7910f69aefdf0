"""People with an account."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Connection, and_, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from ..protocol import credential
from ..protocol.audit import Event
from ..protocol.registry.look_alike import as_seen
from ..protocol.role import Role
from .audit import record
from .clock import now
from .counting import counted_grants, shown
from .database import Database
from .ending import BATCH, end_requests, end_sessions, end_some_grants
from .epoch import bump
from .failures import repeatable
from .models import GrantRow, PendingGrantRow, UserRow
from .models.user import OF_WEIGHT
from .paging import Order, Page, cut
from .policies import people_moved
from .searching import Name, Searched
from .user import User, user_of

NEWEST_FIRST = Order(UserRow.created_at, UserRow.id)
SEARCHED = Searched(NEWEST_FIRST, (Name(UserRow.username), Name(UserRow.display_name)))
LIVE_GRANTS = counted_grants(UserRow, GrantRow.user_id == UserRow.id)
# Locked in one order by everyone: of two owners who end each other's ownership the second finds the first's done.
LIVE_OWNERS = (
    select(UserRow.id)
    .where(UserRow.role == Role.OWNER.value, UserRow.disabled_at.is_(None))
    .order_by(UserRow.id)
    .with_for_update(key_share=True)
)


class UserExists(ValueError):
    """The user name is taken, or looks like one that is."""


class EmailTaken(ValueError):
    """Somebody else has this mail address."""


class LastOwner(ValueError):
    """Nobody would be left who can give roles."""


class StillEnding(ValueError):
    """What a person held is still being ended, so they are not let in yet."""


@dataclass(frozen=True, slots=True)
class UserListing:
    """A person as the console lists them; ``created_at`` in Unix seconds, grants counted to `counting.MOST`."""

    user: User
    live_grants: int
    created_at: int

    @property
    def counted(self) -> str:
        """How many live grants, in words."""
        return shown(self.live_grants)


class UserStore:
    """People. User names are compared without regard to case."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        username: str,
        display_name: str,
        password_hash: str,
        role: Role,
        event: Event,
        *,
        email: str | None = None,
        verified: bool = False,
    ) -> User:
        """Save a new person; *verified*: their *email* is known to be theirs. Raises `UserExists` and `EmailTaken`."""
        user = newcomer(username, display_name, password_hash, role, email)
        with entering(self._database, user) as connection:
            return enter(connection, user, event, verified=verified)

    def find(self, user_id: str) -> User | None:
        """The person of that id, disabled or not."""
        return self._find(UserRow.id == user_id)

    def by_name(self, username: str) -> User | None:
        """The person of that user name, disabled or not."""
        return self._find(UserRow.username == username.casefold())

    def by_email(self, email: str) -> User | None:
        """The person whose mail address that is, as is known, disabled or not."""
        return self._find((UserRow.email == email) & UserRow.email_verified_at.is_not(None))

    def rehash(self, user_id: str, seen: str, password_hash: str, event: Event) -> bool:
        """Keep another hash of the password that has the hash *seen*; sessions stay. False if it is another by now."""
        held = update(UserRow).where(UserRow.id == user_id, UserRow.password_hash == seen)
        with self._database.transaction() as connection:
            if not connection.execute(held.values(password_hash=password_hash)).rowcount:
                return False
            record(connection, event.about(user_id=user_id))
        return True

    def speaks(self, user_id: str, language: str) -> None:
        """Write down in which language a person has just signed in. There is no event: nobody may do more or less."""
        another = UserRow.language.is_distinct_from(language)
        with self._database.transaction() as connection:
            connection.execute(update(UserRow).where(UserRow.id == user_id, another).values(language=language))

    def set_role(self, user_id: str, role: Role, seen: Role, event: Event) -> bool:
        """Give a person who has the role *seen* another one, at once in all their sessions.

        False if they have it no more, or there is no such person. Raises `LastOwner`, with nothing done.
        """
        held = update(UserRow).where(UserRow.id == user_id, UserRow.role == seen.value)
        with self._database.transaction() as connection:
            if role is not Role.OWNER:
                _leave_an_owner(connection, user_id)
            if not connection.execute(held.values(role=role.value)).rowcount:
                return False
            people_moved(connection)
            record(connection, event.about(user_id=user_id, detail={**event.detail, "from": seen, "to": role}))
        return True

    def set_disabled(self, user_id: str, disabled: bool, event: Event, *, limit: int = BATCH) -> bool:
        """Lock a person out, with an end to all sessions and grants, or let them in again, without any.

        Locked out, they hold nothing at once, by their own state. Of more than *limit* grants the rest ends by
        `end_more`; until then nobody lets them in again. False if they are so already, or there is no such person.
        Raises `LastOwner` and `StillEnding`, with nothing done.
        """
        other = UserRow.disabled_at.is_(None) if disabled else UserRow.disabled_at.is_not(None)
        columns = {"disabled_at": now} if disabled else {"disabled_at": None, "ending_since": None}
        changed = update(UserRow).where(UserRow.id == user_id, other).values(columns)
        with self._database.transaction() as connection:
            if disabled:
                _leave_an_owner(connection, user_id)
            if not connection.execute(changed).rowcount:
                return False
            # Those who come back too: a sign-in or a decision may have been under way when they were locked out.
            end_sessions(connection, user_id, and_grants=False)
            end_some_grants(connection, GrantRow.user_id == user_id, limit)
            end_requests(connection, PendingGrantRow.user_id == user_id)
            if _holds_more(connection, user_id):
                if not disabled:
                    raise StillEnding("grants of this person are still being ended: try again in a moment")
                connection.execute(update(UserRow).where(UserRow.id == user_id).values(ending_since=now))
                bump(connection)  # so that status lists tell of what is left too
            record(connection, event.about(user_id=user_id))
        return True

    def end_more(self, user_id: str, event: Event, *, limit: int = BATCH) -> bool:
        """End at most *limit* grants of a person who was locked out with more than end at once.

        False if none is left, or they are no such person. Of several who do so at once each waits for the other's.
        """
        theirs = and_(UserRow.id == user_id, UserRow.ending_since.is_not(None))
        with self._database.transaction() as connection:
            if connection.scalar(select(UserRow.id).where(theirs).with_for_update(key_share=True)) is None:
                return False
            ended = end_some_grants(connection, GrantRow.user_id == user_id, limit)
            more = _holds_more(connection, user_id)
            if not more:
                connection.execute(update(UserRow).where(UserRow.id == user_id).values(ending_since=None))
            if ended:
                record(connection, event.about(user_id=user_id, detail={**event.detail, "grants": ended}))
        return more

    def ending(self, limit: int) -> Sequence[str]:
        """The ids of people for whom there is `end_more` to do, those who wait longest first."""
        waiting = select(UserRow.id).where(UserRow.ending_since.is_not(None)).order_by(UserRow.ending_since)
        with self._database.reading() as connection:
            return connection.scalars(waiting.limit(limit)).all()

    def roles(self) -> dict[str, Role]:
        """The roles, by user name, of all who have more than members have."""
        wanted = select(UserRow.username, UserRow.role).where(OF_WEIGHT).order_by(UserRow.username)
        with self._database.reading() as connection:
            return {username: Role(role) for username, role in connection.execute(wanted)}

    def page(self, query: str, after: str | None, limit: int) -> Page[UserListing]:
        """People whose name has *query* in it, newest first."""
        found: list[UserListing] = []
        with self._database.session() as session:
            for way in SEARCHED.ways(query, after, limit, self._database.dialect):
                rows = session.execute(NEWEST_FIRST.limit(select(UserRow, LIVE_GRANTS).where(way), after, limit))
                found = [UserListing(user_of(row), grants, row.created_at) for row, grants in rows]
                if len(found) > limit:
                    break
        return cut(found, limit, lambda line: (line.created_at, line.user.id))

    @repeatable
    def _find(self, which: ColumnElement[bool]) -> User | None:
        with self._database.session() as session:
            row = session.scalars(select(UserRow).where(which)).one_or_none()
            return None if row is None else user_of(row)


def _leave_an_owner(connection: Connection, user_id: str) -> None:
    """Raise `LastOwner` if no owner who can sign in would be left without that person."""
    if connection.scalars(LIVE_OWNERS).all() == [user_id]:
        raise LastOwner("the last owner stays one: make somebody else an owner first")


def _holds_more(connection: Connection, user_id: str) -> bool:
    live = select(GrantRow.id).where(GrantRow.user_id == user_id, GrantRow.revoked_at.is_(None)).limit(1)
    return connection.execute(live).first() is not None


def has_password(connection: Connection, user_id: str, seen: str) -> bool:
    """Whether that person may sign in, by the password that has the hash *seen*.

    If so, it is so until the transaction ends: who gives them another one waits, and then finds what this one entered.
    """
    held = and_(UserRow.id == user_id, UserRow.password_hash == seen, UserRow.disabled_at.is_(None))
    return connection.scalar(select(UserRow.id).where(held).with_for_update(read=True)) is not None


def newcomer(username: str, display_name: str, password_hash: str, role: Role, email: str | None = None) -> User:
    """A person who is not here yet."""
    found = User(credential.identifier(), username.casefold(), display_name, role, password_hash, disabled=False)
    return replace(found, email=email)


@contextmanager
def entering(database: Database, user: User) -> Iterator[Connection]:
    """A transaction that enters *user*, or gives them a mail address. Raises `UserExists` and `EmailTaken`."""
    try:
        with database.transaction() as connection:
            yield connection
    except IntegrityError:
        raise _taken(database, user) from None


def enter(connection: Connection, user: User, event: Event, *, verified: bool) -> User:
    """Save *user*, see `entering`; *verified*: their mail address is known to be theirs."""
    columns = {name: getattr(user, name) for name in ("id", "username", "display_name", "password_hash", "email")}
    moments = {"created_at": now, "email_verified_at": now if verified and user.email else None}
    new = insert(UserRow).values(**columns, **moments, role=user.role.value, likeness=as_seen(user.username))
    verified_at = connection.scalar(new.returning(UserRow.email_verified_at))
    people_moved(connection)
    record(connection, event.about(user_id=user.id))
    return replace(user, email_verified_at=verified_at)


def _taken(database: Database, user: User) -> UserExists | EmailTaken:
    alike = select(UserRow.username).where(
        or_(UserRow.username == user.username, UserRow.likeness == as_seen(user.username)), UserRow.id != user.id
    )
    with database.reading() as connection:
        taken = connection.scalar(alike.limit(1))
    if taken is None:
        return EmailTaken("somebody else has this mail address")
    if taken == user.username:
        return UserExists(f"there is a user {taken!r} already")
    return UserExists(f"{user.username!r} looks like the name of the user {taken!r}")
