"""Connections whose server says nothing any more are given up after a while, so that no thread waits for ever.

TCP finds out about a peer that is gone (`engine.KEPT_ALIVE`), not about one that still acknowledges what it gets and
never answers: a pooler that hangs, a machine that is stopped. Nothing in libpq ends such a wait. A server that hears us
answers within the `bounds` that it was told, if only that it has cut the statement off.
"""

import os
import socket
import threading
import time
from contextlib import suppress
from datetime import datetime
from typing import Any
from weakref import WeakSet

import structlog
from sqlalchemy import Dialect, Engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from . import pooler
from .bounds import Bounds

STATEMENT, LOCK = 15, 5  # seconds, where there are no bounds
SLACK = 1  # second that an answer may take beyond them
ASKED_AFTER = 3  # seconds of waiting
ANSWER_SECONDS = 3  # in which the server says
PAUSE = 0.5
RESTED_SECONDS = 60  # after which a server has ended a transaction that rests by itself
UNHEARD = (
    "SELECT pid FROM pg_stat_activity WHERE pid = ANY(%s) AND state NOT IN ('active', 'fastpath function call')"
    " AND state_change < clock_timestamp() - interval '1 second'"
)
# Whose commit waits for a standby holds nothing, and others would see it before that has it.
ENDED = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE (pid, backend_start) IN"
    " (SELECT * FROM unnest(%s::int[], %s::timestamptz[])) AND wait_event IS DISTINCT FROM 'SyncRep'"
)
log = structlog.get_logger(__name__)


class Silence:
    """Knows since when each connection of an engine waits for its server.

    Of one that waits for long the server is asked, on another connection, whether it does anything for it: if not, it
    never heard the statement, or we never heard the answer. Else it is given up when no answer came within the bounds,
    for behind a pooler the server may speak of others. A hot statement takes no time but for a lock; where the server
    answers us, each of several has that time.

    The server knows nothing of that: a transaction that fell silent in its midst would keep its locks there until it
    has rested for too long. So its process is ended, too; a pooler's are not ours to end.
    """

    def __init__(self, engine: Engine, bounds: Bounds) -> None:
        """*engine* is one for PostgreSQL, that has not connected yet, within *bounds*."""
        self._bound = {True: bounds.lock or LOCK, False: bounds.statement or STATEMENT}
        self._connections: WeakSet[Any] = WeakSet()
        self._listing = threading.Lock()  # what is added while they are listed ends that with an error
        self._kind: Any = None
        self._given: tuple[list[Any], dict[str, Any]] = ([], {})
        self._left_behind: dict[tuple[int, datetime], float] = {}
        event.listen(engine, "do_connect", self._connect)
        event.listen(engine, "connect", _note_start)

    def start(self) -> threading.Event:
        """Look after all connections, in a daemon thread, until the returned event is set."""
        stop = threading.Event()
        threading.Thread(target=self._run, args=(stop,), name="silence", daemon=True).start()
        return stop

    def look(self) -> int:
        """Give up what is silent, and then what rests too; returns how many connections that were."""
        with self._listing:
            connections = list(self._connections)
        known = [(each, each.waits_since) for each in connections]
        now = time.monotonic()
        waiting = [(each, since, now - since) for each, since in known if since is not None]
        asked = [each for each, _, waits in waiting if waits > ASKED_AFTER]
        unheard = self._unheard(asked) if asked else None
        silent = [
            (each, since)
            for each, since, waits in waiting
            if waits > self._patience(each, answers=unheard is not None)
            or (each in asked and each.server_process in (unheard or ()))
        ]
        resting = [(each, since) for each, since in known if since is None] if silent else []
        ended = [each for each, since in (*silent, *resting) if _end(each, since)]
        self._left_behind |= {(each.server_process, each.started): now for each in ended if each.started}
        self._end_left_behind(now)
        return len(ended)

    def _end_left_behind(self, now: float) -> None:
        """Have the server end the processes whose connections were given up, at once or when it answers again."""
        self._left_behind = {each: at for each, at in self._left_behind.items() if now - at < RESTED_SECONDS}
        if self._left_behind:
            numbers, starts = zip(*self._left_behind, strict=True)
            if self._ask(ENDED, list(numbers), list(starts)) is not None:
                self._left_behind.clear()

    def _connect(self, dialect: Dialect, entry: ConnectionPoolEntry, args: list[Any], given: dict[str, Any]) -> Any:  # noqa: ANN401
        if self._kind is None:
            self._kind, self._given = _timed(dialect.loaded_dbapi), (args, given)
        connection = self._kind.connect(*args, **given)
        connection.server_process = connection.pgconn.backend_pid  # that greeted; behind a pooler it may be another
        with self._listing:
            self._connections.add(connection)
        return connection

    def _patience(self, connection: Any, *, answers: bool) -> float:  # noqa: ANN401
        """For how many seconds *connection* may wait for a server that *answers* us elsewhere, or does not."""
        return float(self._bound[connection.is_hot] * (connection.statements if answers else 1) + SLACK)

    def _unheard(self, waiting: list[Any]) -> frozenset[int] | None:
        """Which processes of the server wait for us, while we wait for them; None when it does not say."""
        found = self._ask(UNHEARD, [each.server_process for each in waiting])
        return None if found is None else frozenset(pid for (pid,) in found)

    def _ask(self, question: str, *given_to_it: list[Any]) -> list[Any] | None:
        """What the server answers on a connection made for that; None when it does not."""
        args, given = self._given
        try:
            with self._kind.connect(*args, **given) as other:
                # A pooler greets for a server that it does not reach, and keeps the question.
                given_up = threading.Timer(ANSWER_SECONDS, lambda: _end(other, other.waits_since))
                given_up.start()
                try:
                    return list(other.execute(question, given_to_it))
                finally:
                    given_up.cancel()
        except self._kind.Error:
            return None

    def _run(self, stop: threading.Event) -> None:
        while not stop.wait(PAUSE):
            try:
                if given_up := self.look():
                    log.error("the database says nothing; connections given up", connections=given_up)
            except Exception:
                log.exception("looking for silent connections failed; looking again")


def _timed(psycopg: Any) -> Any:  # noqa: ANN401 - the driver is an extra
    """The driver's connection, which notes when it begins to wait."""

    class Timed(psycopg.Connection):  # type: ignore[misc]
        is_hot = False
        statements = 1
        """That it waits for."""

        server_process = 0
        started: datetime | None = None
        """When that process did, where no pooler lies between."""

        waits_since: float | None = None

        def wait(self, *given: Any, **named: Any) -> Any:  # noqa: ANN401 - the driver's own
            self.waits_since = time.monotonic()
            try:
                return super().wait(*given, **named)
            finally:
                self.waits_since = None

    return Timed


def _note_start(connection: Any, entry: ConnectionPoolEntry) -> None:  # noqa: ANN401
    connection.started = entry.info.get(pooler.STARTED)


def _end(connection: Any, since: float | None) -> bool:  # noqa: ANN401
    """Shut *connection*, which waits *since* then, or rests: whoever waits learns that it is lost."""
    with suppress(connection.OperationalError, OSError), socket.socket(fileno=os.dup(connection.fileno())) as its:
        if connection.waits_since == since and not connection.closed:  # or the number may be another's by now
            its.shutdown(socket.SHUT_RDWR)
            return True
    return False
