"""Documents of others as they were fetched last, and the lease that lets one process of all nodes fetch (CR-9).

The key of a document is its URL, with a prefix where it is of another kind than a client's document, or another policy
than that for strangers' URLs allowed the fetch: what an administrator's entry brought in is never found by a URL that
a client supplied.
"""

from dataclasses import dataclass

from sqlalchemy import Update, and_, delete, func, or_, select, update

from ..protocol.audit import Event
from .audit import record
from .cache import RecentlyUsed
from .clock import now
from .database import Database
from .epoch import ConfigEpoch, bump
from .failures import repeatable
from .models import FetchedDocumentRow

AGAIN_SECONDS = 30  # after which a document may be fetched again, whoever asks
STALE_SECONDS = 7 * 24 * 3600  # that a document outlives its source
REMEMBERED = 1000
REMEMBERED_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class FetchedDocument:
    """What a source answered last. Seconds are by the database's clock at the time of reading.

    ``body`` is None while it never answered well; ``fresh_for`` is negative when it is to be fetched again, and
    ``age`` what has passed since it was last known to be so. ``failure`` is why the newest attempt failed, which is
    to be left alone for ``retry_in`` seconds. A ``pinned`` body is the administrator's, and is not fetched.
    """

    body: str | None
    etag: str | None
    last_modified: str | None
    age: int
    fresh_for: int
    failure: str | None
    retry_in: int
    pinned: bool

    @property
    def is_current(self) -> bool:
        """Whether the body counts without asking again."""
        return self.body is not None and (self.pinned or self.fresh_for > 0)


ROW = FetchedDocumentRow
READ = select(
    ROW.body,
    ROW.etag,
    ROW.last_modified,
    (now - func.coalesce(ROW.fetched_at, 0)).label("age"),
    (func.coalesce(ROW.fresh_until, 0) - now).label("fresh_for"),
    ROW.failure,
    (func.coalesce(ROW.retry_at, 0) - now).label("retry_in"),
    ROW.pinned,
)
CLAIMABLE = and_(
    ~ROW.pinned,
    or_(ROW.leased_until.is_(None), ROW.leased_until <= now),
    or_(ROW.fetched_at.is_(None), ROW.fetched_at <= now - AGAIN_SECONDS),
    or_(ROW.retry_at.is_(None), ROW.retry_at <= now),
)


class FetchedStore:
    """Fetched documents by key."""

    def __init__(self, database: Database, epoch: ConfigEpoch) -> None:
        """*epoch* tells other processes when an administrator pinned a document."""
        self._database = database
        self._epoch = epoch
        self.recent: RecentlyUsed[FetchedDocument] = RecentlyUsed(REMEMBERED, REMEMBERED_SECONDS)

    def current(self, key: str) -> FetchedDocument | None:
        """The document if it counts without asking again, as it was some seconds ago at most; else None."""
        epoch = self._epoch.current()
        found = self.recent.get(key, epoch)
        if found is None and (found := self.find(key)) is not None and found.is_current:
            self.recent.keep(key, found, epoch)
        return found if found and found.is_current else None

    def forget(self) -> None:
        """Look at the database again: what is remembered here is out of date."""
        self.recent.clear()

    @repeatable
    def find(self, key: str) -> FetchedDocument | None:
        """The document as it stands now; None if nobody ever asked for it."""
        with self._database.reading() as connection:
            row = connection.execute(READ.where(ROW.url == key)).one_or_none()
        return None if row is None else FetchedDocument(*row)

    def claim(self, key: str, seconds: int) -> bool:
        """Take the right to fetch for *seconds*; of all processes one gets it, until it has answered or time is up.

        Nobody gets it for what was fetched, or failed, just now: a process that looked before that comes too late.
        """
        claimed = (
            self._database.insert(ROW)
            .values(url=key, leased_until=now + seconds, pinned=False)
            .on_conflict_do_update(
                index_elements=["url"],
                set_={"leased_until": now + seconds},
                where=CLAIMABLE,
            )
            .returning(ROW.url)
        )
        with self._database.transaction() as connection:
            return connection.execute(claimed).one_or_none() is not None

    def keep(self, key: str, body: str, etag: str | None, last_modified: str | None, lifetime: int) -> None:
        """Save what the source answered, good for *lifetime* seconds, and give the lease back."""
        about = {"body": body, "etag": etag, "last_modified": last_modified}
        self._change(_of(key).where(~ROW.pinned).values(**about, **_answered(lifetime)))

    def confirm(self, key: str, lifetime: int) -> None:
        """The source said that nothing changed: good for *lifetime* seconds more; gives the lease back."""
        self._change(_of(key).where(~ROW.pinned).values(**_answered(lifetime)))

    def fail(self, key: str, why: str, retry_in: int) -> None:
        """The source failed for the reason *why*: leave it alone for *retry_in* seconds; gives the lease back.

        What it answered before stays.
        """
        failed = {"failure": why, "failed_at": now, "retry_at": now + retry_in, "leased_until": None}
        self._change(_of(key).values(**failed))

    def pin(self, key: str, body: str, event: Event) -> None:
        """Put the administrator's *body* in the place of whatever the source says, until `unpin`."""
        given = {"body": body, "etag": None, "last_modified": None, "pinned": True, **_answered(0)}
        pinned = self._database.insert(ROW).values(url=key, **given)
        with self._database.transaction() as connection:
            connection.execute(pinned.on_conflict_do_update(index_elements=["url"], set_=given))
            bump(connection)
            record(connection, event)
        self._epoch.forget()

    def unpin(self, key: str, event: Event) -> bool:
        """Ask the source again from now on; False if nothing was pinned."""
        with self._database.transaction() as connection:
            if not connection.execute(delete(ROW).where(ROW.url == key, ROW.pinned)).rowcount:
                return False
            bump(connection)
            record(connection, event)
        self._epoch.forget()
        return True

    def _change(self, changed: Update) -> None:
        with self._database.transaction() as connection:
            connection.execute(changed)
        self.forget()


def _of(key: str) -> Update:
    return update(ROW).where(ROW.url == key)


def _answered(lifetime: int) -> dict[str, object]:
    kept = {"fetched_at": now, "fresh_until": now + lifetime}
    return {**kept, "failure": None, "failed_at": None, "retry_at": None, "leased_until": None}
