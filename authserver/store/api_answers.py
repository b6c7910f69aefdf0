"""Requests to the API that are not to be done twice, and what came of them."""

from dataclasses import dataclass

from sqlalchemy import delete, select, update

from .clock import now
from .database import Database
from .models import ApiAnswerRow


@dataclass(frozen=True, slots=True)
class Repeated:
    """What is known of a request under a key that came before; ``answer`` is None while it has not ended."""

    fingerprint: bytes
    answer: bytes | None


class ApiAnswerStore:
    """Requests by the digest of their client and key, kept for a day."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, digest: bytes, fingerprint: bytes) -> Repeated | None:
        """Note that a request has begun; None if it is the first one of *digest*, else what is known of the first."""
        wanted = self._database.insert(ApiAnswerRow).values(digest=digest, fingerprint=fingerprint, begun_at=now)
        known = select(ApiAnswerRow.fingerprint, ApiAnswerRow.answer).where(ApiAnswerRow.digest == digest)
        with self._database.transaction() as connection:
            if connection.execute(wanted.on_conflict_do_nothing().returning(ApiAnswerRow.digest)).first():
                return None
            found = connection.execute(known).one_or_none()
        # Refused and forgotten in this moment: it has not ended either.
        return Repeated(*found) if found else Repeated(fingerprint, None)

    def keep(self, digest: bytes, answer: bytes) -> None:
        """Keep the sealed *answer* of a request that has begun."""
        with self._database.transaction() as connection:
            connection.execute(update(ApiAnswerRow).where(ApiAnswerRow.digest == digest).values(answer=answer))

    def forget(self, digest: bytes) -> None:
        """Let a request begin again: it was refused, with nothing done."""
        with self._database.transaction() as connection:
            connection.execute(delete(ApiAnswerRow).where(ApiAnswerRow.digest == digest))
