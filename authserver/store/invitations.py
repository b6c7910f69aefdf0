"""Invitations: who may make an account, under which name, with which role. The account is made when they accept."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, delete, or_, select

from ..protocol import credential
from ..protocol.audit import Event
from ..protocol.msg import Filled, msg
from ..protocol.registry.look_alike import as_seen
from ..protocol.role import Role
from .audit import record
from .clock import now
from .database import Database
from .letters import Letter, post
from .models import InvitationRow, UserRow
from .user import User
from .users import EmailTaken, UserExists, enter, entering, newcomer


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation. ``mailed``: its link went to ``email`` and nowhere else. Times in Unix seconds.

    ``invited_by`` is an actor as the audit trail knows it.
    """

    id: str
    username: str
    display_name: str
    role: Role
    email: str
    mailed: bool
    invited_by: str = ""
    created_at: int = 0
    expires_at: int = 0


COLUMNS = tuple(getattr(InvitationRow, name) for name in Invitation.__slots__)
TAKEN = msg("there is a user {!r} already, and {!r} is the same or looks like it")
HIGH = msg("an invitation of {!r} waits, which only an owner replaces")
EMAIL_TAKEN = msg("the user {!r} has the mail address {}")
OPEN = select(*COLUMNS).where(InvitationRow.expires_at > now)


def invitation(username: str, display_name: str, role: Role, email: str, *, mailed: bool) -> Invitation:
    """A new invitation."""
    return Invitation(credential.identifier(), username.casefold(), display_name, role, email, mailed)


class InvitationStore:
    """Invitations by the digest of their secret; one for a name, the newest."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        made: Invitation,
        digest: bytes,
        lifetime: int,
        letter: Letter | None,
        event: Event,
        by: Role = Role.OWNER,
    ) -> None:
        """Save an invitation that lasts *lifetime* seconds, in place of an earlier one for the name, with its letter.

        Raises `UserExists`, also where the role *by* which somebody invites does not stand over that of the earlier
        one, and `EmailTaken`.
        """
        columns = {name: getattr(made, name) for name in ("id", "username", "display_name", "role", "email", "mailed")}
        columns |= {"digest": digest, "invited_by": event.actor, "created_at": now, "expires_at": now + lifetime}
        new = self._database.insert(InvitationRow).values(**columns)
        theirs = InvitationRow.role.in_([role.value for role in Role if by.stands_over(role)])
        replaced = or_(theirs, InvitationRow.expires_at <= now)
        with self._database.transaction() as connection:
            _refuse_taken(connection, made)
            earlier = connection.scalar(_waiting(made.username))
            put = new.on_conflict_do_update(index_elements=["username"], set_=columns, where=replaced)
            if connection.scalar(put.returning(InvitationRow.id)) is None:
                raise UserExists(Filled(HIGH, made.username))
            post(connection, letter)
            record(connection, event.about(detail={**event.detail, **({"replaced": earlier} if earlier else {})}))

    def find(self, digest: bytes) -> Invitation | None:
        """The invitation of that digest, as long as it is open."""
        return self._find(InvitationRow.digest == digest)

    def by_id(self, invitation_id: str) -> Invitation | None:
        """The invitation of that id, as long as it is open."""
        return self._find(InvitationRow.id == invitation_id)

    def by_name(self, username: str) -> Invitation | None:
        """The invitation of that user name, as long as it is open."""
        return self._find(InvitationRow.username == username.casefold())

    def open(self, limit: int) -> tuple[Invitation, ...]:
        """Those that nobody accepted yet, the newest first."""
        newest = OPEN.order_by(InvitationRow.created_at.desc(), InvitationRow.id).limit(limit)
        with self._database.reading() as connection:
            return tuple(_made(row) for row in connection.execute(newest))

    def accept(self, digest: bytes, password_hash: str, event: Event) -> User | None:
        """Make the account, and end the invitation. None if it ended before, or somebody is just accepting it.

        Raises `UserExists` and `EmailTaken` when that came in between; it is open still.
        """
        taken = delete(InvitationRow).where(InvitationRow.digest == digest, InvitationRow.expires_at > now)
        found = self.find(digest)
        if found is None:
            return None
        user = newcomer(found.username, found.display_name, password_hash, found.role, found.email)
        with entering(self._database, user) as connection:
            if not connection.execute(taken).rowcount:
                return None
            detail = {"username": user.username, "role": user.role, "invited_by": found.invited_by}
            about = event.about(actor=f"user:{user.id}", detail=detail)
            return enter(connection, user, about, verified=found.mailed)

    def withdraw(self, invitation_id: str, event: Event) -> bool:
        """End an invitation that was not accepted. False if there is none."""
        gone = delete(InvitationRow).where(InvitationRow.id == invitation_id).returning(InvitationRow.username)
        with self._database.transaction() as connection:
            username = connection.scalar(gone)
            if username is None:
                return False
            record(connection, event.about(detail={"username": username}))
        return True

    def _find(self, which: ColumnElement[bool]) -> Invitation | None:
        with self._database.reading() as connection:
            row = connection.execute(OPEN.where(which)).one_or_none()
        return None if row is None else _made(row)


def _waiting(username: str) -> Select[str]:
    """The role of the invitation of that name that waits, kept as it is until the transaction ends."""
    open_ones = select(InvitationRow.role).where(InvitationRow.username == username, InvitationRow.expires_at > now)
    return open_ones.with_for_update()


def _refuse_taken(connection: Connection, made: Invitation) -> None:
    """Raise `UserExists` or `EmailTaken` for what would be refused when it is accepted."""
    alike = or_(UserRow.username == made.username, UserRow.likeness == as_seen(made.username))
    taken = connection.scalar(select(UserRow.username).where(alike).limit(1))
    if taken is not None:
        raise UserExists(Filled(TAKEN, taken, made.username))
    owner = connection.scalar(select(UserRow.username).where(UserRow.email == made.email))
    if owner is not None:
        raise EmailTaken(Filled(EMAIL_TAKEN, owner, made.email))


def _made(row: Row[Any]) -> Invitation:
    return Invitation(**{**row._mapping, "role": Role(row.role)})
