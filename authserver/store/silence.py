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
from typing import Any
from weakref import WeakSet

import structlog
from sqlalchemy import Dialect, Engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from . import pooler
from .bounds import Bounds

CONNECT_SECONDS = 5  # between the beginnings of a connection and of the server's process for it
DRIFT = 0.001  # by which our clock and the server's go apart, at the most
STATEMENT, LOCK, IDLE = 15, 5, 30  # seconds, where there are no bounds
SLACK = 1  # second that an answer may take beyond them
ASKED_AFTER = 3  # seconds of waiting
ANSWER_SECONDS = 3  # in which the server says
PAUSE = 0.5
UNHEARD = (
    "SELECT pid FROM pg_stat_activity WHERE pid = ANY(%s) AND state NOT IN ('active', 'fastpath function call')"
    " AND state_change < clock_timestamp() - interval '1 second'"
)
# Of processes, told by number and age in seconds, those that are still there, and whether they end now. One at work
# does not: a commit that waits for a standby would be seen before that has it.
LEFT_BEHIND = (
    "SELECT pid, CASE WHEN state LIKE 'idle%%' THEN pg_terminate_backend(pid) ELSE FALSE END"
    " FROM unnest(%s::int[], %s::float[]) AS left_behind (number, age) JOIN pg_stat_activity ON pid = number"
    " AND abs(extract(epoch FROM clock_timestamp() - backend_start) - age) < %s + %s * age"
)
log = structlog.get_logger(__name__)


class Silence:
    """Knows since when each connection of an engine waits for its server.

    Of one that waits for long the server is asked, on another connection, whether it does anything for it: if not, it
    never heard the statement, or we never heard the answer. Else it is given up when no answer came within the bounds,
    for behind a pooler the server may speak of others. A hot statement takes no time but for a lock; where the server
    answers us, each of several has that time.

    The server knows nothing of that: a transaction that fell silent in its midst would keep its locks there until it
    has rested for too long. So its process is ended, too, once it rests; a pooler's are not ours to end.
    """

    def __init__(self, engine: Engine, bounds: Bounds) -> None:
        """*engine* is one for PostgreSQL, that has not connected yet, within *bounds*."""
        self._bound = {True: bounds.lock or LOCK, False: bounds.statement or STATEMENT}
        # By then the server has ended by itself what was at work and has rested in a transaction since.
        self._sought_for = (bounds.statement or STATEMENT) + (bounds.idle or IDLE) + SLACK
        self._connections: WeakSet[Any] = WeakSet()
        self._listing = threading.Lock()  # what is added while they are listed ends that with an error
        self._kind: Any = None
        self._given: tuple[list[Any], dict[str, Any]] = ([], {})
        self._left_behind: dict[Any, float] = {}
        event.listen(engine, "do_connect", self._connect)
        event.listen(engine, "connect", _note_pooler)

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
        self._left_behind |= {each: now for each in ended if each.is_direct}
        if not asked or unheard is not None:  # the server answers, as far as is known
            self._end_left_behind()
        return len(ended)

    def _end_left_behind(self) -> None:
        """Have the server end the processes whose connections were given up, those at work as soon as they rest."""
        now = time.monotonic()
        sought = {each.server_process: each for each, at in self._left_behind.items() if now - at < self._sought_for}
        at_work: set[int] = set()
        try:
            if sought:
                ages = [now - each.made_at for each in sought.values()]
                found = self._ask(LEFT_BEHIND, list(sought), ages, CONNECT_SECONDS, DRIFT)
                at_work = {process for process, ends in found if not ends}
        except self._kind.OperationalError:
            at_work = set(sought)
        except self._kind.Error as refused:
            log.warning("the database does not let its processes be ended", private=str(refused))
        self._left_behind = {sought[process]: self._left_behind[sought[process]] for process in at_work}

    def _connect(self, dialect: Dialect, entry: ConnectionPoolEntry, args: list[Any], given: dict[str, Any]) -> Any:  # noqa: ANN401
        if self._kind is None:
            self._kind, self._given = _timed(dialect.loaded_dbapi), (args, given)
        made_at = time.monotonic()
        connection = self._kind.connect(*args, **given)
        connection.made_at = made_at
        connection.server_process = connection.pgconn.backend_pid  # that greeted; behind a pooler it may be another
        with self._listing:
            self._connections.add(connection)
        return connection

    def _patience(self, connection: Any, *, answers: bool) -> float:  # noqa: ANN401
        """For how many seconds *connection* may wait for a server that *answers* us elsewhere, or does not."""
        return float(self._bound[connection.is_hot] * (connection.statements if answers else 1) + SLACK)

    def _unheard(self, waiting: list[Any]) -> frozenset[int] | None:
        """Which processes of the server wait for us, while we wait for them; None when it does not say."""
        try:
            return frozenset(pid for (pid,) in self._ask(UNHEARD, [each.server_process for each in waiting]))
        except self._kind.Error:
            return None

    def _ask(self, question: str, *given_to_it: object) -> list[Any]:
        """What the server answers on a connection made for that. Raises the driver's errors."""
        args, given = self._given
        with self._kind.connect(*args, **{**given, "autocommit": True}) as other:
            # A pooler greets for a server that it does not reach, and keeps the question.
            given_up = threading.Timer(ANSWER_SECONDS, _shut, (other,))
            given_up.start()
            try:
                return list(other.execute(question, given_to_it))
            finally:
                given_up.cancel()

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
        made_at = 0.0
        is_direct = False
        """Whether that process is the one that works for it: no pooler lies between."""

        waits_since: float | None = None

        def wait(self, *given: Any, **named: Any) -> Any:  # noqa: ANN401 - the driver's own
            self.waits_since = time.monotonic()
            try:
                return super().wait(*given, **named)
            finally:
                self.waits_since = None

    return Timed


def _note_pooler(connection: Any, entry: ConnectionPoolEntry) -> None:  # noqa: ANN401
    connection.is_direct = pooler.SETTINGS not in entry.info


def _end(connection: Any, since: float | None) -> bool:  # noqa: ANN401
    """Shut *connection*, which waits *since* then, or rests: whoever waits learns that it is lost."""
    return connection.waits_since == since and _shut(connection)


def _shut(connection: Any) -> bool:  # noqa: ANN401
    """Shut *connection*, whatever it waits for; whether it was open."""
    with suppress(connection.OperationalError, OSError), socket.socket(fileno=os.dup(connection.fileno())) as its:
        if not connection.closed:  # or the number may be another's by now
            its.shutdown(socket.SHUT_RDWR)
            return True
    return False
