"""How connections are made: the settings that durability and concurrency rest on, per database.

Connections commit each statement by themselves, so that a hot statement costs one round trip. Who needs a transaction
asks for one by `WRITING`, an execution option.
"""

import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Dialect, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from . import pooler
from .bounds import UNBOUNDED, Bounds
from .failures import note_loss

WRITING: dict[str, dict[str, Any]] = {
    "postgresql": {"isolation_level": "READ COMMITTED"},
    "sqlite": {"begin_immediate": True},
}
BUSY_SECONDS = 5
CONNECT_SECONDS = 5
IDLE_SECONDS = 5  # a connection that rested longer is asked whether it still lives
KEPT_ALIVE = {  # a peer that is gone without a word is noticed in about as many seconds as a silent one
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,  # milliseconds
}
SQLITE_PRAGMAS = ("journal_mode = WAL", "foreign_keys = ON", "synchronous = FULL")


class UnknownDatabase(ValueError):
    """The URL names a database that this server does not run on."""


class Pool(QueuePool):
    """A pool that has nothing open any more once it was disposed of: what is in use then is closed when it comes back.

    SQLAlchemy's own puts it by, open, for the garbage collector to find.
    """

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - the pool's own
        """See `QueuePool`."""
        super().__init__(*args, **options)
        self._is_over = False
        # The queue's own: with another one, who gives back and who takes could wait for each other. It can be taken
        # again by who has it, for the garbage collector gives connections back too, at any moment.
        self._ending: threading.RLock = self._pool.mutex  # type: ignore[attr-defined]

    def dispose(self) -> None:
        """Close what is idle, and from now on what comes back."""
        with self._ending:
            self._is_over = True
            super().dispose()

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        with self._ending:
            if self._is_over:
                record.close()  # whoever waits for it connects it anew
            super()._do_return_conn(record)


def locate(url: str) -> URL:
    """*url* with its driver and, for SQLite, an absolute path. Raises `UnknownDatabase`."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() != "sqlite":
        raise UnknownDatabase("the database URL must begin with postgresql:// or sqlite:///")
    if parsed.database in (None, "", ":memory:"):
        raise UnknownDatabase("SQLite needs a file: sqlite:////path/to/file")
    return parsed.set(database=str(Path(str(parsed.database)).absolute()))


def options(url: URL, bounds: Bounds) -> dict[str, Any]:
    """The arguments of `sqlalchemy.create_engine` for *url*, within *bounds*."""
    # What is asked for can be a secret, or its digest: errors tell the statement alone.
    if url.get_backend_name() == "sqlite":
        return {"hide_parameters": True, "poolclass": Pool, "connect_args": {"timeout": BUSY_SECONDS}}
    return {
        "hide_parameters": True,
        "poolclass": Pool,
        "connect_args": {"connect_timeout": CONNECT_SECONDS, **KEPT_ALIVE},
        "isolation_level": "AUTOCOMMIT",
        "skip_autocommit_rollback": True,
        # A connection for each thread, or the surplus is opened and closed all the time.
        "pool_size": bounds.connections - bounds.connections // 3,
        "max_overflow": bounds.connections // 3,
        "pool_use_lifo": True,
    }


def create(url: str, bounds: Bounds = UNBOUNDED) -> Engine:
    """An engine for *url*, ready for use; opens no connection. Raises `UnknownDatabase`."""
    location = locate(url)
    engine = create_engine(location, **options(location, bounds))
    prepare(engine, bounds)
    return engine


def prepare(engine: Engine, bounds: Bounds) -> None:
    """Teach *engine* what its database needs on each connection, within *bounds*. Opens none."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_pragmas)
        event.listen(engine, "begin", _begin_immediately)
    else:
        pooler.heed(engine, bounds)
        event.listen(engine, "handle_error", note_loss)
        event.listen(engine, "checkin", _note_time)
        event.listen(engine, "checkout", _refusal_of_dead(engine.dialect))


def _set_pragmas(connection: sqlite3.Connection, entry: ConnectionPoolEntry) -> None:
    # The driver's own BEGIN is a deferred one, which fails at once when it turns from reading to writing.
    connection.isolation_level = None
    for pragma in SQLITE_PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediately(connection: Connection) -> None:
    if connection.get_execution_options().get("begin_immediate"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _note_time(connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
    entry.info["rested_since"] = time.monotonic()


def _refusal_of_dead(dialect: Dialect) -> Callable[..., None]:
    """Ask a connection that rested for a while whether its server still knows it; the pool replaces a dead one."""

    def check(connection: DBAPIConnection, entry: ConnectionPoolEntry, proxy: object) -> None:
        rested = time.monotonic() - entry.info.get("rested_since", time.monotonic())
        if rested < IDLE_SECONDS:
            return
        try:
            dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error as lost:
            # With the others, each of which would be asked in its turn.
            raise InvalidatePoolError("the server has closed this connection") from lost

    return check
