"""People with an account."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from ..protocol import credential
from ..protocol.audit import Event
from .audit import record
from .clock import now
from .database import Database
from .ending import end_grants, end_sessions
from .models import GrantRow, UserRow
from .paging import Order, Page, cut

NEWEST_FIRST = Order(UserRow.created_at, UserRow.id)
LIVE_GRANTS = (
    select(func.count())
    .where(GrantRow.user_id == UserRow.id, GrantRow.revoked_at.is_(None))
    .correlate(UserRow)
    .scalar_subquery()
)


class UserExists(ValueError):
    """The user name is taken."""


@dataclass(frozen=True, slots=True)
class User:
    """A person; ``role`` is ``user`` or ``admin``."""

    id: str
    username: str
    display_name: str
    role: str
    password_hash: str
    disabled: bool


@dataclass(frozen=True, slots=True)
class UserListing:
    """A person as the console lists them; ``created_at`` in Unix seconds."""

    user: User
    live_grants: int
    created_at: int


class UserStore:
    """People. User names are compared without regard to case."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, username: str, display_name: str, password_hash: str, role: str, event: Event) -> User:
        """Save a new person. Raises `UserExists` when the name is taken."""
        user = User(credential.identifier(), username.casefold(), display_name, role, password_hash, disabled=False)
        columns = {"id": user.id, "username": user.username, "display_name": display_name, "created_at": now}
        try:
            with self._database.transaction() as connection:
                new = insert(UserRow).values(**columns, password_hash=password_hash, role=role)
                connection.execute(new)
                record(connection, event.about(user_id=user.id))
        except IntegrityError:
            raise UserExists(f"there is a user {user.username!r} already") from None
        return user

    def find(self, user_id: str) -> User | None:
        """The person of that id, disabled or not."""
        return self._find(UserRow.id == user_id)

    def by_name(self, username: str) -> User | None:
        """The person of that user name, disabled or not."""
        return self._find(UserRow.username == username.casefold())

    def set_password(self, user_id: str, password_hash: str, event: Event) -> bool:
        """Replace the password; sessions stay. False if there is no such person."""
        with self._database.transaction() as connection:
            changed = update(UserRow).where(UserRow.id == user_id).values(password_hash=password_hash)
            if not connection.execute(changed).rowcount:
                return False
            record(connection, event.about(user_id=user_id))
        return True

    def set_disabled(self, user_id: str, disabled: bool, event: Event) -> bool:
        """Lock a person out, with an end to all sessions and grants, or let them in again. False if there is none."""
        with self._database.transaction() as connection:
            changed = update(UserRow).where(UserRow.id == user_id).values(disabled_at=now if disabled else None)
            if not connection.execute(changed).rowcount:
                return False
            if disabled:
                end_sessions(connection, user_id)
                end_grants(connection, GrantRow.user_id == user_id)
            record(connection, event.about(user_id=user_id))
        return True

    def page(self, query: str, after: str | None, limit: int) -> Page[UserListing]:
        """People whose name has *query* in it, newest first."""
        statement = select(UserRow, LIVE_GRANTS)
        if query:
            names = (UserRow.username, UserRow.display_name)
            statement = statement.where(or_(*(name.icontains(query, autoescape=True) for name in names)))
        with self._database.session() as session:
            rows = session.execute(NEWEST_FIRST.limit(statement, after, limit))
            found = [UserListing(user_of(row), grants, row.created_at) for row, grants in rows]
        return cut(found, limit, lambda line: (line.created_at, line.user.id))

    def _find(self, which: ColumnElement[bool]) -> User | None:
        with self._database.session() as session:
            row = session.scalars(select(UserRow).where(which)).one_or_none()
            return None if row is None else user_of(row)


def user_of(row: UserRow) -> User:
    """The person of *row*."""
    return User(
        id=row.id,
        username=row.username,
        display_name=row.display_name,
        role=row.role,
        password_hash=row.password_hash,
        disabled=row.disabled_at is not None,
    )
