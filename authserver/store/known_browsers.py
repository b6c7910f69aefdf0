"""Browsers from which people signed in before: strangers' failures elsewhere are not theirs (AZ-12)."""

from sqlalchemy import select

from .clock import now
from .database import Database
from .models import KnownBrowserRow

KNOWN_SECONDS = 400 * 24 * 3600  # after a sign-in; no browser keeps the cookie that it is known by for longer


class KnownBrowserStore:
    """Known browsers, by a digest of the person and the browser together."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def know(self, digest: bytes) -> None:
        """Know it from now on. Nothing has changed for anybody, so there is no event beside that of the sign-in."""
        seen = self._database.insert(KnownBrowserRow).values(digest=digest, seen_at=now)
        with self._database.transaction() as connection:
            connection.execute(seen.on_conflict_do_update(index_elements=["digest"], set_={"seen_at": now}))

    def knows(self, digest: bytes) -> bool:
        """Whether it is known."""
        mine = (KnownBrowserRow.digest == digest) & (KnownBrowserRow.seen_at > now - KNOWN_SECONDS)
        with self._database.reading() as connection:
            return connection.scalar(select(KnownBrowserRow.digest).where(mine)) is not None
