"""How long a migration waits for what others hold, and what it says when that was in vain.

A statement that waits for a strong lock has all queries of that table wait behind it. So it waits a few seconds only,
gives up with nothing changed, and the revision is tried again after a pause in which the queries go on.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from .database import Database

LOCK_NOT_AVAILABLE = "55P03"
DEADLOCK = "40P01"
QUERY_CANCELED = "57014"
SQLITE_BUSY = 5
SHOWN = 3  # transactions
OLDEST = """
SELECT pid, coalesce(nullif(application_name, ''), '?') AS program, state,
       round(extract(epoch FROM clock_timestamp() - xact_start)) AS seconds
FROM pg_stat_activity
WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()
  AND backend_type = 'client backend' AND query NOT LIKE '%pg_advisory_xact_lock%'
ORDER BY xact_start LIMIT :shown
"""


class MigrationBlocked(Exception):
    """A revision could not be applied in the time that it was given; the text tells which, and at what."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds that a statement waits for a ``lock`` and that a ``statement`` runs (0: without end), on PostgreSQL.

    A revision is tried ``tries`` times, with ``pause`` seconds between.
    """

    lock: float = 3
    statement: float = 300
    tries: int = 20
    pause: float = 5


AS_USUAL = Patience()


def persist(
    database: Database, revision: str, apply: Callable[[], None], patience: Patience, tell: Callable[[str], None]
) -> None:
    """Call *apply* until it has its locks. Raises `MigrationBlocked`, with nothing of *revision* applied."""
    for left in reversed(range(patience.tries)):
        try:
            apply()
        except OperationalError as failed:
            if _took_too_long(failed):
                raise MigrationBlocked(_too_long(revision, failed, patience)) from failed
            if not _waited_in_vain(failed):
                raise
            said = _held(database, revision, failed)
            if not left:
                raise MigrationBlocked(f"{said}. It gave up after {patience.tries} tries; run it again") from failed
            tell(f"{said}. Trying again in {patience.pause:g} s")
            time.sleep(patience.pause)
        else:
            return


def _waited_in_vain(failed: OperationalError) -> bool:
    state = getattr(failed.orig, "sqlstate", None)
    return state in {LOCK_NOT_AVAILABLE, DEADLOCK} or getattr(failed.orig, "sqlite_errorcode", None) == SQLITE_BUSY


def _took_too_long(failed: OperationalError) -> bool:
    return getattr(failed.orig, "sqlstate", None) == QUERY_CANCELED


def _too_long(revision: str, failed: OperationalError, patience: Patience) -> str:
    return (
        f"revision {revision} was not applied: a statement ran for more than {patience.statement:g} s and was undone. "
        f"Raise migration_statement_timeout, at a quiet hour. The statement: {_shortly(failed)}"
    )


def _held(database: Database, revision: str, failed: OperationalError) -> str:
    words = f"revision {revision} did not get its lock, nothing of it is applied; it waited at: {_shortly(failed)}"
    return words + _oldest(database)


def _shortly(failed: OperationalError) -> str:
    return " ".join((failed.statement or "BEGIN").split())[:160]


def _oldest(database: Database) -> str:
    """The transactions that have been open the longest: one of them mostly holds what is waited for."""
    if database.dialect == "sqlite":
        return ""
    with database.reading() as connection:
        rows = connection.execute(text(OLDEST), {"shown": SHOWN}).all()
    told = ", ".join(f"process {row.pid} ({row.program}, {row.state}, {row.seconds} s)" for row in rows)
    return f". Open the longest: {told}" if told else ""
