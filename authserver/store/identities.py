"""Who people are at identity providers: which (issuer, subject) opens which account."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from ..protocol.audit import Event
from ..protocol.role import Role
from ..protocol.upstream.identity import Identity
from .audit import record
from .clock import now
from .database import Database
from .ending import forget_browsers
from .letters import Letter, post
from .models import IdentityRow, RememberedRow, UserRow
from .user import User, user_of
from .users import EmailTaken, UserExists, enter, entering, newcomer
from .ways_in import Ways

ROW = IdentityRow
NO_PASSWORD = ""  # no hash: it is nobody's password


class IdentityTaken(ValueError):
    """The identity opens an account already."""


@dataclass(frozen=True, slots=True)
class IdentityListing:
    """An identity that opens a person's account; times in Unix seconds."""

    issuer: str
    subject: str
    name: str
    linked_at: int
    used_at: int


class IdentityStore:
    """Identities of people. An identity opens one account; an account may have several."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, issuer: str, subject: str) -> User | None:
        """The person whom that identity opens the account of, disabled or not."""
        joined = select(UserRow).join(ROW, ROW.user_id == UserRow.id)
        with self._database.session() as session:
            row = session.scalars(joined.where(ROW.issuer == issuer, ROW.subject == subject)).one_or_none()
            return None if row is None else user_of(row)

    def of_user(self, user_id: str) -> tuple[IdentityListing, ...]:
        """The identities of a person, the oldest first."""
        columns = [getattr(ROW, name) for name in IdentityListing.__slots__]
        theirs = select(*columns).where(ROW.user_id == user_id).order_by(ROW.linked_at, ROW.issuer, ROW.subject)
        with self._database.reading() as connection:
            return tuple(IdentityListing(*row) for row in connection.execute(theirs))

    def knows(self, username: str, email: str | None) -> bool:
        """Whether somebody has that user name or that address, proven or not."""
        anybody = select(UserRow.id).where((UserRow.username == username) | (UserRow.email == email)).limit(1)
        with self._database.reading() as connection:
            return connection.execute(anybody).one_or_none() is not None

    def create(self, username: str, display_name: str, role: Role, identity: Identity, event: Event) -> User:
        """Save a new person without a password, opened by *identity*, with its address as one that is proven.

        Person and identity are there together or not at all. Raises `UserExists`, `EmailTaken` and `IdentityTaken`.
        """
        user = newcomer(username, display_name, NO_PASSWORD, role, identity.email)
        try:
            with entering(self._database, user) as connection:
                entered = enter(connection, user, event, verified=True)
                _link(connection, user.id, identity)
        except (UserExists, EmailTaken):
            if self.find(identity.issuer, identity.subject):
                raise IdentityTaken from None
            raise
        return entered

    def link(self, user_id: str, identity: Identity, event: Event, letter: Letter | None = None) -> None:
        """Have *identity* open that person's account, and tell them by *letter*.

        Raises `IdentityTaken`, also if it does so already.
        """
        try:
            with self._database.transaction() as connection:
                _link(connection, user_id, identity)
                post(connection, letter)
                record(connection, event.about(user_id=user_id))
        except IntegrityError:
            raise IdentityTaken from None

    def link_by_address(self, identity: Identity, event: Event) -> User | None:
        """Have *identity* open the account that has its address, if it was proven here that it is theirs.

        None if there is no such account; the address is looked at again in the same transaction. Raises
        `IdentityTaken`.
        """
        proven = select(UserRow.id).where(UserRow.email == identity.email, UserRow.email_verified_at.is_not(None))
        try:
            with self._database.transaction() as connection:
                user_id = connection.scalar(proven.with_for_update())
                if user_id is None:
                    return None
                _link(connection, user_id, identity)
                record(connection, event.about(user_id=user_id))
        except IntegrityError:
            raise IdentityTaken from None
        return self.find(identity.issuer, identity.subject)

    def used(self, identity: Identity, event: Event) -> None:
        """Write down that *identity* has just opened its account, and what it is called there by now."""
        mine = update(ROW).where(ROW.issuer == identity.issuer, ROW.subject == identity.subject)
        with self._database.transaction() as connection:
            connection.execute(mine.values(used_at=now, name=_shown(identity)))
            record(connection, event)

    def unlink(
        self, user_id: str, issuer: str, subject: str, ways: Ways, event: Event, letter: Letter | None = None
    ) -> bool:
        """Have that identity open that person's account no more, and tell them by *letter*; False if it does not.

        No browser stays signed in by what it may have opened. Raises `LastWayIn`, with nothing done, if it was
        the last of the *ways* that they had.
        """
        mine = delete(ROW).where(ROW.user_id == user_id, ROW.issuer == issuer, ROW.subject == subject)
        with self._database.transaction() as connection:
            # Their row is held, so that of two at once the second sees what the first left.
            connection.execute(select(UserRow.id).where(UserRow.id == user_id).with_for_update())
            if not connection.execute(mine).rowcount:
                return False
            ways.keep_one(connection, user_id)
            forget_browsers(connection, RememberedRow.user_id == user_id)
            post(connection, letter)
            record(connection, event.about(user_id=user_id))
        return True


def _link(connection: Connection, user_id: str, identity: Identity) -> None:
    named = {"issuer": identity.issuer, "subject": identity.subject, "name": _shown(identity)}
    connection.execute(insert(ROW).values(user_id=user_id, **named, linked_at=now, used_at=now))


def _shown(identity: Identity) -> str:
    return identity.email or identity.login or identity.name or identity.subject
