"""The schema's versions: which one a database has, and how it gets to the newest while others use it.

Each revision is a transaction of its own, so that what it locks is free again as soon as it is done, and one that
cannot have its lock undoes nothing but itself. Revisions are numbered (``0021``), and of two the greater is newer.
"""

import functools
import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, event, text

from .database import Database
from .engine import WRITING, create
from .migration_patience import AS_USUAL, Patience, persist
from .models import Row
from .schema_version import newest, of

LOCK = 0x6D6370  # any number that nobody else takes: one node migrates, the others wait for it
LOOK_SECONDS = 0.2
_one_here = threading.Lock()  # revisions speak to Alembic's ``op``, of which a process has one

Tell = Callable[[str], None]
Steps = Callable[[Any, MigrationContext], Iterable[Any]]


def upgrade(
    url: str, revision: str = "head", patience: Patience = AS_USUAL, tell: Tell = lambda words: None
) -> tuple[str, ...]:
    """Bring the schema at *url* up to *revision*, a transaction each; returns what was applied, oldest first.

    *tell* hears, in words, of what is waited for. Raises `migration_patience.MigrationBlocked`, with all earlier
    revisions applied and none in part.
    """
    applied: list[str] = []
    with _one_here, _opened(url) as database, _alone(database, tell):
        for each in lacking(of(database), revision):
            persist(database, each.revision, functools.partial(_up, database, each.revision, patience), patience, tell)
            applied.append(each.revision)
    return tuple(applied)


def downgrade(url: str, revision: str = "base") -> None:
    """Take the schema back to *revision*, in one transaction, with all that the newer ones kept."""
    with _one_here, _opened(url) as database, _alone(database, lambda words: None):
        _run(database, lambda heads, context: script()._downgrade_revs(revision, heads), AS_USUAL)


def current(url: str) -> str | None:
    """The revision that the database has, None for an empty one."""
    with _opened(url) as database:
        return of(database)


def pending(url: str) -> tuple[str, ...]:
    """The revisions that the database lacks, oldest first; none where it is newer than this code (`newest`)."""
    return tuple(each.revision for each in lacking(current(url)))


def lacking(version: str | None, revision: str = "head") -> list[Script]:
    """The revisions up to *revision* that a database at *version* lacks, oldest first."""
    last = newest() if revision == "head" else revision
    return [each for each in reversed(list(script().walk_revisions())) if (version or "") < each.revision <= last]


@functools.cache
def script() -> ScriptDirectory:
    """All revisions that this code knows, read once."""
    return ScriptDirectory.from_config(config())


def _up(database: Database, revision: str, patience: Patience) -> None:
    """Apply *revision*, unless another process was faster."""

    def steps(heads: Any, context: MigrationContext) -> Iterable[Any]:  # noqa: ANN401 - typed as one, and is all of them
        return script()._upgrade_revs(revision, heads) if lacking(heads[0] if heads else None, revision) else ()

    _run(database, steps, patience)


def _run(database: Database, steps: Steps, patience: Patience) -> None:
    engine = database.engine.execution_options(**WRITING[database.dialect])
    if database.dialect == "postgresql":
        event.listen(engine, "begin", functools.partial(_limit, patience))
    with engine.connect() as connection, EnvironmentContext(config(connection), script(), fn=steps):
        script().run_env()


def _limit(patience: Patience, connection: Connection) -> None:
    """Have the statements of a transaction wait for no lock too long, and take no time without end.

    What runs outside of one (an index that is made CONCURRENTLY) holds nobody up, and may take its time.
    """
    if connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
        return
    for name, seconds in (("lock_timeout", patience.lock), ("statement_timeout", patience.statement)):
        connection.exec_driver_sql(f"SET LOCAL {name} = '{seconds * 1000:.0f}ms'")


@contextmanager
def _opened(url: str) -> Iterator[Database]:
    database = Database(create(url))
    try:
        yield database
    finally:
        database.close()


@contextmanager
def _alone(database: Database, tell: Tell) -> Iterator[None]:
    """While no other node migrates. On SQLite each revision looks anew what is there, and is the only writer.

    The lock is one of a transaction, so a pooler may stand between, and it is asked for again and again: a statement
    that waited for it would hold a snapshot, which an index that the other one makes CONCURRENTLY waits for in turn.
    """
    if database.dialect == "sqlite":
        yield
        return
    for attempt in itertools.count():
        with database.transaction() as connection:
            if connection.scalar(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": LOCK}):
                # It also ends what keeps the snapshot of the question, for which others would have to wait.
                connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
                yield
                return
        if not attempt:
            tell("another process migrates this database: waiting for it")
        time.sleep(LOOK_SECONDS)


def config(connection: Connection | None = None) -> Config:
    """Where our revisions are, for work on *connection*."""
    config = Config(attributes={"connection": connection, "metadata": Row.metadata})
    config.set_main_option("script_location", "authserver:migrations")
    config.set_main_option("path_separator", "os")
    return config
