"""Requests to the API that are not to be done twice, and what came of them.

Where a node died, or lost the database, in the middle of one, nobody has its answer, nor ever will: it may begin again.
"""

from dataclasses import dataclass

from sqlalchemy import and_, delete, select, update

from .clock import now
from .database import Database
from .models import ApiAnswerRow

LEASE = 60  # seconds: longer than any act takes


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
        """Note that a request has begun; None if it is the first one of *digest*, else what is known of the first.

        Also None if the first, of the same *fingerprint*, has not ended in a minute: of many who try then, for one.
        """
        wanted = self._database.insert(ApiAnswerRow).values(digest=digest, fingerprint=fingerprint, begun_at=now)
        left = (
            ApiAnswerRow.answer.is_(None),
            ApiAnswerRow.begun_at <= now - LEASE,
            ApiAnswerRow.fingerprint == fingerprint,
        )
        begins = wanted.on_conflict_do_update(index_elements=["digest"], set_={"begun_at": now}, where=and_(*left))
        known = select(ApiAnswerRow.fingerprint, ApiAnswerRow.answer).where(ApiAnswerRow.digest == digest)
        with self._database.transaction() as connection:
            if connection.execute(begins.returning(ApiAnswerRow.digest)).first():
                return None
            found = connection.execute(known).one_or_none()
        # Refused and forgotten in this moment: it has not ended either.
        return Repeated(*found) if found else Repeated(fingerprint, None)

    def keep(self, digest: bytes, answer: bytes) -> None:
        """Keep the sealed *answer* of a request that has begun."""
        with self._database.transaction() as connection:
            connection.execute(update(ApiAnswerRow).where(ApiAnswerRow.digest == digest).values(answer=answer))

    def forget(self, digest: bytes) -> None:
        """Let a request begin again: it was refused, or failed, and has no answer."""
        with self._database.transaction() as connection:
            connection.execute(delete(ApiAnswerRow).where(ApiAnswerRow.digest == digest))
