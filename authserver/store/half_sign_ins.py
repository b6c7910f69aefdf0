"""Sign-ins that wait for the second factor: on the server, so that no cookie can pretend to one."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete, insert, select

from ..protocol.amr import Method
from ..protocol.audit import Event
from .audit import record
from .clock import now
from .database import Database
from .models import HalfSignInRow, UserRow
from .users import User, user_of


@dataclass(frozen=True, slots=True)
class HalfSignIn:
    """Somebody who has proved by ``methods`` who they are, and owes the second factor."""

    digest: bytes
    user: User
    methods: tuple[Method, ...]


class HalfSignInStore:
    """Half of a sign-in, by the digest of its secret."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, digest: bytes, user_id: str, methods: Iterable[Method], lifetime: int, event: Event) -> None:
        """Keep half a sign-in for *lifetime* seconds."""
        begun = {"digest": digest, "user_id": user_id, "methods": tuple(methods), "expires_at": now + lifetime}
        with self._database.transaction() as connection:
            connection.execute(insert(HalfSignInRow).values(**begun))
            record(connection, event)

    def find(self, digest: bytes) -> HalfSignIn | None:
        """The one that still waits, if its person may sign in."""
        waits = (HalfSignInRow.digest == digest) & (HalfSignInRow.expires_at > now) & UserRow.disabled_at.is_(None)
        wanted = select(HalfSignInRow, UserRow).join(UserRow, UserRow.id == HalfSignInRow.user_id).where(waits)
        with self._database.session() as session:
            found = session.execute(wanted).one_or_none()
            if found is None:
                return None
            row, person = found
            return HalfSignIn(digest, user_of(person), tuple(map(Method, row.methods)))

    def complete(self, digest: bytes) -> bool:
        """Take it away, now that the second factor was given. Of any number of tries at once, exactly one gets True."""
        waits = delete(HalfSignInRow).where(HalfSignInRow.digest == digest, HalfSignInRow.expires_at > now)
        with self._database.transaction() as connection:
            return bool(connection.execute(waits).rowcount)
