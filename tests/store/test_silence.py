"""A server that says nothing any more, on connections that nobody has closed."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from types import SimpleNamespace
from typing import Any
from weakref import WeakSet

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError

from authserver.store.bounds import Bounds
from authserver.store.database import Database
from authserver.store.engine import create
from authserver.store.silence import Silence
from tests.chaos.proxy import Proxy
from tests.journeys.ports import free_port

from .test_lane import MY_PROCESS, until

BOUNDS = Bounds(lock=30, statement=60)
SOON = 3  # seconds, of the many that one may wait for a lock
LOCKING = text("UPDATE config_epoch SET epoch = epoch + 1")
AT_WORK = "SELECT pid FROM pg_stat_activity WHERE pid = %(pid)s AND state = 'active' AND wait_event_type = 'Lock'"
WAITING = text("SELECT 1 FROM pg_advisory_xact_lock(4711)")


@pytest.fixture
def unwatched(database: Database) -> Iterator[Database]:
    if database.dialect != "postgresql":
        pytest.skip("about PostgreSQL's connections; SQLite has no server that could fall silent")
    url = database.engine.url.render_as_string(hide_password=False)
    with closing(Database(create(url, BOUNDS), BOUNDS)) as made:
        yield made


@pytest.fixture
def watched(unwatched: Database) -> Database:
    unwatched.give_up_on_silence()
    return unwatched


@pytest.fixture
def silent(watched: Database) -> Iterator[int]:
    """The process that answered the last call, stopped."""
    pid = watched.at_once(MY_PROCESS, {}).pid
    os.kill(pid, signal.SIGSTOP)
    yield pid
    os.kill(pid, signal.SIGCONT)


def test_who_waits_for_a_silent_server_is_told_within_seconds_and_the_next_is_served(watched: Database, silent: int):
    with pytest.raises(OperationalError):
        watched.at_once(MY_PROCESS, {})
    assert watched.at_once(MY_PROCESS, {}).pid != silent


@pytest.fixture
def proxy(watched: Database) -> Iterator[Proxy]:
    """What lies between a database and those who reach it through its port."""
    url = watched.engine.url
    between = Proxy(free_port(), url.port or 5432, str(url.query["host"]))
    between.start()
    yield between
    between.stop()


def _begin_and_fall_silent(database: Database, proxy: Proxy) -> None:
    with database.transaction() as connection:
        connection.execute(LOCKING)
        proxy.fall_silent()
        connection.execute(LOCKING)


def test_a_transaction_that_falls_silent_keeps_no_lock(watched: Database, proxy: Proxy):
    far = watched.engine.url.set(host="127.0.0.1", port=proxy.port, query={})
    with closing(Database(create(far.render_as_string(hide_password=False), BOUNDS), BOUNDS)) as through:
        through.give_up_on_silence()
        with pytest.raises(OperationalError):
            _begin_and_fall_silent(through, proxy)
    began = time.monotonic()
    watched.at_once("UPDATE config_epoch SET epoch = epoch + 1 RETURNING epoch", {})
    assert time.monotonic() - began < SOON


class GivenUp:
    """A connection that was given up, of the process that is behind *real*, so many seconds older."""

    def __init__(self, real: Connection, older: float = 0) -> None:
        driven: Any = real.connection.driver_connection
        self.server_process = driven.server_process
        self.made_at = driven.made_at - older


def end_what_is_left_by(database: Database, given_up: GivenUp) -> int:
    """How many are still sought."""
    silence = database._silence
    assert silence
    silence._left_behind = {given_up: time.monotonic()}
    silence._end_left_behind()
    return len(silence._left_behind)


def test_no_other_process_of_the_same_number_is_ended(unwatched: Database):
    with unwatched.reading() as connection:
        assert end_what_is_left_by(unwatched, GivenUp(connection, older=60)) == 0
        assert connection.scalar(text("SELECT 1")) == 1
        assert end_what_is_left_by(unwatched, GivenUp(connection)) == 0
        with pytest.raises(OperationalError):
            connection.scalar(text("SELECT 1"))


def test_a_process_at_work_is_ended_when_it_rests(unwatched: Database):
    with unwatched.reading() as connection, ThreadPoolExecutor(1) as one:
        with unwatched.transaction() as holder:
            holder.execute(WAITING)
            working = one.submit(connection.scalar, WAITING)
            process = GivenUp(connection).server_process
            until(lambda: unwatched.at_once(AT_WORK, {"pid": process}) is not None)
            assert end_what_is_left_by(unwatched, GivenUp(connection)) == 1
        assert working.result() == 1
        assert end_what_is_left_by(unwatched, GivenUp(connection)) == 0
        with pytest.raises(OperationalError):
            connection.scalar(text("SELECT 1"))


def test_a_server_that_lets_nobody_end_processes_is_asked_once(silence: Silence, monkeypatch: pytest.MonkeyPatch):
    asked = []

    def refuse(*question: object) -> None:
        asked.append(question)
        raise Away

    silence._kind = SimpleNamespace(Error=Away, OperationalError=LookupError)
    monkeypatch.setattr(silence, "_ask", refuse)
    silence._left_behind = {Resting(): time.monotonic()}
    silence._end_left_behind()
    silence._end_left_behind()
    assert len(asked) == 1


def test_what_takes_long_is_waited_for_while_the_server_is_not_silent(watched: Database):
    with watched.reading() as connection:
        assert connection.exec_driver_sql("SELECT 1 FROM pg_sleep(5)").scalar_one() == 1


class Resting:
    """A connection that waits for nothing."""

    server_process, made_at = 1, 0.0
    waits_since = None
    is_direct = False
    pgconn = SimpleNamespace(backend_pid=1)


@pytest.fixture
def silence() -> Silence:
    """One that watches connections to nowhere."""
    found = Silence(create_engine("sqlite://"), BOUNDS)
    found._kind = SimpleNamespace(connect=Resting)
    return found


class Listed(WeakSet[Resting]):
    """Connections, beside which another one is made in the midst of listing them, if it may be."""

    maker: threading.Thread

    def __iter__(self) -> Iterator[Resting]:
        for each in super().__iter__():
            if self.maker.ident is None:
                self.maker.start()
                self.maker.join(0.2)
            yield each


def test_connections_are_made_while_all_are_looked_at(silence: Silence):
    kept = [Resting(), Resting()]
    silence._connections = listed = Listed(kept)
    listed.maker = threading.Thread(target=lambda: kept.append(silence._connect(None, None, [], {})))
    assert silence.look() == 0
    listed.maker.join()
    assert len(listed) == len(kept) == 3


def test_a_look_that_fails_is_followed_by_others(silence: Silence, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("authserver.store.silence.PAUSE", 0.01)
    looked, again = [], threading.Event()

    def look() -> int:
        looked.append(1)
        if len(looked) > 1:
            again.set()
        raise RuntimeError("Set changed size during iteration")

    monkeypatch.setattr(silence, "look", look)
    stop = silence.start()
    assert again.wait(20)
    stop.set()


class Away(Exception):
    """What a connection raises that is lost."""


class Pooled:
    """A connection to a pooler, which greets for a server that it does not reach and keeps what it is asked."""

    OperationalError = Away
    closed = False
    is_direct = False
    waits_since: float | None = None

    def __init__(self, **_: object) -> None:
        self._socket, self._pooler = socket.socketpair()

    def __enter__(self) -> "Pooled":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._pooler.close()

    def fileno(self) -> int:
        return self._socket.fileno()

    def execute(self, *_: object) -> None:
        self.waits_since = time.monotonic()
        self._socket.settimeout(60)
        assert self._socket.recv(1) == b""
        raise Away


class Waiting(Pooled):
    """A connection of the server's, that waits for the answers to some statements."""

    server_process = 1

    def __init__(self, seconds: float, *, statements: int, is_hot: bool = True) -> None:
        super().__init__()
        self.waits_since = time.monotonic() - seconds
        self.statements = statements
        self.is_hot = is_hot


def test_a_question_that_nobody_answers_holds_up_no_look(silence: Silence, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("authserver.store.silence.ANSWER_SECONDS", 0.05)
    silence._kind = SimpleNamespace(connect=Pooled, Error=Away)
    with Waiting(BOUNDS.lock + 2, statements=16) as over:
        silence._connections = WeakSet([over])
        assert silence.look() == 1


@pytest.mark.parametrize(
    ("waiting", "answers", "given_up"),
    [
        ({"seconds": BOUNDS.lock + 2, "statements": 1}, True, 1),
        ({"seconds": BOUNDS.lock + 2, "statements": 2}, True, 0),
        ({"seconds": BOUNDS.lock + 2, "statements": 2}, False, 1),
        ({"seconds": 2 * BOUNDS.lock + 2, "statements": 2}, True, 1),
        ({"seconds": BOUNDS.statement - 2, "statements": 1, "is_hot": False}, False, 0),
        ({"seconds": BOUNDS.statement + 2, "statements": 1, "is_hot": False}, True, 1),
    ],
)
def test_each_statement_has_its_bound_where_the_server_answers(
    silence: Silence, monkeypatch: pytest.MonkeyPatch, waiting: dict[str, Any], *, answers: bool, given_up: int
):
    monkeypatch.setattr(silence, "_unheard", lambda asked: frozenset() if answers else None)
    with Waiting(**waiting) as kept:
        silence._connections = WeakSet([kept])
        assert silence.look() == given_up
