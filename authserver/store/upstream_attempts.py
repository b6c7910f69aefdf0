"""Browsers that were sent to an identity provider and have not come back."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import delete, insert

from .clock import now
from .database import Database
from .models import UpstreamAttemptRow

ROW = UpstreamAttemptRow


class Purpose(StrEnum):
    """Why a person was sent there."""

    SIGN_IN = "sign-in"
    AGAIN = "again"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class UpstreamAttempt:
    """One round trip: of the browser with that device cookie, to ``upstream``, begun at ``created_at`` (Unix seconds).

    ``session`` is the digest of the session that was there, for all but a sign-in; ``page`` is where to go on.
    """

    digest: bytes
    browser: bytes
    upstream: str
    purpose: Purpose
    session: bytes | None
    page: str
    created_at: int = 0


class UpstreamAttemptStore:
    """Attempts by the digest of their state."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, attempt: UpstreamAttempt, lifetime: int) -> None:
        """Remember *attempt* for *lifetime* seconds. Nothing has changed yet for anybody, so there is no event."""
        columns = {name: getattr(attempt, name) for name in ("digest", "browser", "upstream", "session", "page")}
        moments = {"created_at": now, "expires_at": now + lifetime}
        new = insert(ROW).values(**columns, purpose=attempt.purpose.value, **moments)
        with self._database.transaction() as connection:
            connection.execute(new)

    def consume(self, digest: bytes, browser: bytes, upstream: str) -> UpstreamAttempt | None:
        """The attempt, once: None if it was consumed, has expired, or is of another browser or upstream.

        A stranger who learned of a state cannot use it up.
        """
        columns = (ROW.digest, ROW.browser, ROW.upstream, ROW.purpose, ROW.session, ROW.page, ROW.created_at)
        mine = delete(ROW).where(ROW.digest == digest, ROW.browser == browser, ROW.upstream == upstream)
        with self._database.transaction() as connection:
            found = connection.execute(mine.where(ROW.expires_at > now).returning(*columns)).one_or_none()
        if found is None:
            return None
        digest, browser, upstream, purpose, session, page, created_at = found
        return UpstreamAttempt(digest, browser, upstream, Purpose(purpose), session, page, created_at)
