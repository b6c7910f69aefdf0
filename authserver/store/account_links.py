"""Links that prove who reads somebody's mail, by the digests of their secrets; and what whoever follows one changes."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, update

from ..protocol.audit import Event
from .audit import record
from .clock import now
from .database import Database
from .ending import end_sessions
from .letters import Letter, post
from .models import AccountLinkRow, UserRow
from .user import User, user_of
from .users import entering


class Purpose(StrEnum):
    """What a link is for."""

    RESET = "reset"
    """A new password, for whoever forgot theirs."""

    EMAIL = "email"
    """A mail address, to be theirs from then on."""


@dataclass(frozen=True, slots=True)
class AccountLink:
    """A link that works, to the account of ``user``; it was mailed to ``email``, or handed on if that is empty."""

    user: User
    email: str


class AccountLinkStore:
    """Links that were mailed. Each works once, for a while, as long as its person is not disabled."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def promise(
        self, digest: bytes, purpose: Purpose, user_id: str, letter: Letter | None, lifetime: int, event: Event
    ) -> None:
        """Save a link to the account of a person, good for *lifetime* seconds, and have *letter* sent, which has it.

        None: it is handed on. Of links for a mail address only the newest works.
        """
        made = {"digest": digest, "purpose": purpose, "user_id": user_id, "email": letter.receiver if letter else ""}
        new = insert(AccountLinkRow).values(**made, created_at=now, expires_at=now + lifetime)
        with self._database.transaction() as connection:
            if purpose is Purpose.EMAIL:
                connection.execute(delete(AccountLinkRow).where(_of(user_id, purpose)))
            connection.execute(new)
            post(connection, letter)
            record(connection, event.about(user_id=user_id))

    def find(self, digest: bytes, purpose: Purpose) -> AccountLink | None:
        """The link of that digest, if it works."""
        wanted = select(AccountLinkRow.email, UserRow).join(UserRow, UserRow.id == AccountLinkRow.user_id)
        works = wanted.where(_works(digest, purpose), UserRow.disabled_at.is_(None))
        with self._database.session() as session:
            found = session.execute(works).one_or_none()
            return None if found is None else AccountLink(user_of(found[1]), found[0])

    def reset_password(self, digest: bytes, password_hash: str, letter: Letter | None, event: Event) -> bool:
        """Use a link up for a new password, with an end to all sessions. False if it does not work any more.

        One that was mailed does not either when its person has another mail address by now.
        """
        used = delete(AccountLinkRow).where(_works(digest, Purpose.RESET))
        with self._database.transaction() as connection:
            link = connection.execute(used.returning(AccountLinkRow.user_id, AccountLinkRow.email)).one_or_none()
            if link is None:
                return False
            theirs = and_(UserRow.id == link.user_id, UserRow.disabled_at.is_(None))
            if link.email:
                theirs = and_(theirs, UserRow.email == link.email)
            return _set_password(connection, link.user_id, theirs, password_hash, letter, event)

    def change_password(self, user_id: str, seen: str, password_hash: str, letter: Letter | None, event: Event) -> bool:
        """Replace the password behind the hash *seen*, with an end to all sessions. False if it is another by now."""
        held = and_(UserRow.id == user_id, UserRow.password_hash == seen, UserRow.disabled_at.is_(None))
        with self._database.transaction() as connection:
            return _set_password(connection, user_id, held, password_hash, letter, event)

    def confirm_email(self, digest: bytes, user: User, letter: Letter | None, event: Event) -> bool:
        """Use a link up: its mail address is that of *user*. False if it does not work for them.

        Raises `EmailTaken`; then it is as it was.
        """
        used = delete(AccountLinkRow).where(_works(digest, Purpose.EMAIL), AccountLinkRow.user_id == user.id)
        with entering(self._database, user) as connection:
            # One who would take an address that is taken leaves this by an error, which takes the link's end back.
            email = connection.scalar(used.returning(AccountLinkRow.email))
            if email is None:
                return False
            theirs = update(UserRow).where(UserRow.id == user.id, UserRow.disabled_at.is_(None))
            if not connection.execute(theirs.values(email=email, email_verified_at=now)).rowcount:
                return False
            connection.execute(delete(AccountLinkRow).where(_of(user.id, Purpose.RESET)))
            post(connection, letter)
            record(connection, event.about(user_id=user.id))
        return True


def _set_password(
    connection: Connection, user_id: str, which: ColumnElement[bool], new: str, letter: Letter | None, event: Event
) -> bool:
    """Replace the password hash of that person, if *which* holds of their row, and end what the old one opened."""
    if not connection.execute(update(UserRow).where(which).values(password_hash=new)).rowcount:
        return False
    sessions = end_sessions(connection, user_id)
    connection.execute(delete(AccountLinkRow).where(_of(user_id, Purpose.RESET)))
    post(connection, letter)
    record(connection, event.about(user_id=user_id, detail={**event.detail, "sessions": sessions}))
    return True


def _works(digest: bytes, purpose: Purpose) -> ColumnElement[bool]:
    lives = AccountLinkRow.expires_at > now
    return and_(AccountLinkRow.digest == digest, AccountLinkRow.purpose == purpose.value, lives)


def _of(user_id: str, purpose: Purpose) -> ColumnElement[bool]:
    return and_(AccountLinkRow.user_id == user_id, AccountLinkRow.purpose == purpose.value)
