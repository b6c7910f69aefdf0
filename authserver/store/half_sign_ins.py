"""Sign-ins that wait for the second factor: on the server, so that no cookie can pretend to one."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select

from ..protocol.amr import Method
from ..protocol.audit import Event
from .audit import record
from .clock import now
from .database import Database
from .models import HalfSignInRow, UserRow
from .user import User, user_of
from .users import has_password


@dataclass(frozen=True, slots=True)
class HalfSignIn:
    """Somebody who proved by ``methods``, ``auth_age`` seconds ago, who they are, and owes the second factor."""

    digest: bytes
    user: User
    methods: tuple[Method, ...]
    auth_age: int


class HalfSignInStore:
    """Half of a sign-in, by the digest of its secret."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, half: HalfSignIn, lifetime: int, event: Event, seen: str | None = None) -> bool:
        """Keep *half* for *lifetime* seconds. False, and it is not, as `SessionStore.open` says of *seen*."""
        begun: dict[str, Any] = {"digest": half.digest, "user_id": half.user.id, "methods": half.methods}
        begun |= {"auth_time": now - half.auth_age, "expires_at": now + lifetime}
        with self._database.transaction() as connection:
            if seen is not None and not has_password(connection, half.user.id, seen):
                return False
            connection.execute(insert(HalfSignInRow).values(**begun))
            record(connection, event)
        return True

    def find(self, digest: bytes) -> HalfSignIn | None:
        """The one that still waits, if its person may sign in."""
        waits = (HalfSignInRow.digest == digest) & (HalfSignInRow.expires_at > now) & UserRow.disabled_at.is_(None)
        wanted = (
            select(HalfSignInRow, UserRow, now - HalfSignInRow.auth_time)
            .join(UserRow, UserRow.id == HalfSignInRow.user_id)
            .where(waits)
        )
        with self._database.session() as session:
            found = session.execute(wanted).one_or_none()
            if found is None:
                return None
            row, person, age = found
            return HalfSignIn(digest, user_of(person), tuple(map(Method, row.methods)), age)

    def complete(self, digest: bytes) -> bool:
        """Take it away, now that the second factor was given. Of any number of tries at once, exactly one gets True."""
        waits = delete(HalfSignInRow).where(HalfSignInRow.digest == digest, HalfSignInRow.expires_at > now)
        with self._database.transaction() as connection:
            return bool(connection.execute(waits).rowcount)
