"""The hot lane: connections that statements keep for themselves, and what may happen to these."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from authserver.store.bounds import UNBOUNDED, Bounds
from authserver.store.database import Database
from authserver.store.driver import Link, numbered
from authserver.store.engine import Pool, create

MY_PROCESS = "SELECT pg_backend_pid() AS pid"
LOCK = "SELECT pg_advisory_xact_lock(1)::text"
WATCHED = "FROM pg_stat_activity WHERE datname = current_database() AND application_name <> 'watcher'"


@pytest.fixture
def postgresql(database: Database) -> Database:
    if database.dialect != "postgresql":
        pytest.skip("about PostgreSQL's connections; SQLite has no server that could close one")
    database.close()
    return database


@pytest.fixture
def watcher(postgresql: Database) -> Iterator[Database]:
    """Connections of the test's own, which do not count."""
    url = postgresql.engine.url.update_query_dict({"application_name": "watcher"})
    watching = Database(create(url.render_as_string(hide_password=False)))
    until(lambda: not connections(watching))  # those of the test before take a moment to end
    yield watching
    watching.close()


def until(true: Callable[[], bool]) -> None:
    """Wait until something is *true*; it is so soon, or never."""
    last = time.monotonic() + 30
    while not true():
        assert time.monotonic() < last


def process(database: Database) -> int:
    return database.at_once(MY_PROCESS, {}).pid


def connections(watcher: Database) -> set[int]:
    """The processes of all connections but the watcher's."""
    with watcher.reading() as connection:
        return set(connection.scalars(text(f"SELECT pid {WATCHED}")))


def end(watcher: Database, pid: int) -> None:
    """End the PostgreSQL process *pid*, and wait until it is gone."""
    with watcher.reading() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})


def await_locked(watcher: Database, count: int) -> None:
    """Wait until *count* calls wait for the `LOCK`."""
    waiting = text(f"SELECT count(*) {WATCHED} AND wait_event = 'advisory'")
    with watcher.reading() as connection:
        until(lambda: connection.scalar(waiting) >= count)


@contextmanager
def held(postgresql: Database, watcher: Database, count: int) -> Iterator[None]:
    """*count* calls that do not return before the block ends."""
    threads = [threading.Thread(target=postgresql.at_once, args=(LOCK, {})) for _ in range(count)]
    try:
        with watcher.transaction() as holding:
            holding.execute(text(LOCK))
            for thread in threads:
                thread.start()
            await_locked(watcher, count)
            yield
    finally:
        for thread in threads:
            thread.join()


def test_calls_one_after_the_other_go_over_one_connection(postgresql: Database, watcher: Database):
    assert {process(postgresql) for _ in range(20)} == connections(watcher)


def test_calls_at_the_same_time_have_connections_of_their_own_and_the_rest_wait(
    postgresql: Database, watcher: Database
):
    with ThreadPoolExecutor(20) as threads:
        found = set(threads.map(lambda _: process(postgresql), range(500)))
    assert found == connections(watcher)
    assert len(found) <= UNBOUNDED.for_hot_statements


def test_kept_connections_leave_one_for_each_thread_to_everything_else(postgresql: Database, watcher: Database):
    with held(postgresql, watcher, UNBOUNDED.for_hot_statements), ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(postgresql.reading()).execute(text("SELECT 1"))


def test_who_waits_in_vain_for_a_connection_is_told(
    postgresql: Database, watcher: Database, monkeypatch: pytest.MonkeyPatch
):
    with held(postgresql, watcher, UNBOUNDED.for_hot_statements):
        monkeypatch.setattr("authserver.store.lane.WAIT_SECONDS", 0.01)
        with pytest.raises(PoolTimeout):
            process(postgresql)
    assert process(postgresql)


@pytest.mark.parametrize("step", ["one_row", "rest"])
def test_a_call_during_which_all_connections_are_closed_leaves_none_open(
    postgresql: Database, monkeypatch: pytest.MonkeyPatch, step: str
):
    does, used = getattr(Link, step), []

    def closing(link: Link, *given: object) -> object:
        used.append(link)
        postgresql.close()
        return does(link, *given)

    monkeypatch.setattr(Link, step, closing)
    assert process(postgresql)
    assert [link.connection.closed for link in used] == [True]


def test_a_call_that_begins_while_all_connections_are_closed_leaves_none_open(
    postgresql: Database, monkeypatch: pytest.MonkeyPatch
):
    rest, used = Link.rest, []

    def noting(link: Link) -> None:
        used.append(link)
        rest(link)

    monkeypatch.setattr(Link, "rest", noting)
    event.listen(postgresql.engine, "engine_disposed", lambda _: process(postgresql))
    postgresql.close()
    assert [link.connection.closed for link in used] == [True]


def test_calls_that_lose_the_server_together_have_connections_made_anew_once(postgresql: Database, watcher: Database):
    disposed: list[object] = []
    event.listen(postgresql.engine, "engine_disposed", disposed.append)
    with ThreadPoolExecutor(3) as threads:
        with watcher.transaction() as holding:
            holding.execute(text(LOCK))
            calls = [threads.submit(postgresql.at_once, LOCK, {}) for _ in range(3)]
            await_locked(watcher, 3)
            for pid in connections(watcher):
                end(watcher, pid)
        assert [type(call.exception()) for call in calls] == [OperationalError] * 3
    assert len(disposed) == 1


def test_who_waits_for_a_connection_when_all_are_closed_has_a_new_one(
    postgresql: Database, monkeypatch: pytest.MonkeyPatch
):
    small = Database(create(postgresql.engine.url.render_as_string(hide_password=False), Bounds(connections=1)))
    asked, get = threading.Event(), Pool._do_get

    def asking(pool: Pool) -> object:
        asked.set()
        return get(pool)

    with ThreadPoolExecutor(1) as threads:
        with small.reading() as connection:
            assert connection.scalar(text("SELECT 1")) == 1
            monkeypatch.setattr(Pool, "_do_get", asking)
            waiting = threads.submit(small.answers)
            assert asked.wait(10)
            small.close()
        waiting.result(timeout=10)  # the pool has others wait for thrice as long
    small.close()


def test_who_gives_a_connection_back_holds_nothing_that_who_takes_one_waits_for(postgresql: Database):
    """Python's collector gives connections back at any moment, that of taking one among them."""
    pool: Any = postgresql.engine.pool
    first, second = pool.connect(), pool.connect()
    back = threading.Thread(target=first.close, daemon=True)

    def take() -> None:
        with pool._pool.mutex:
            back.start()
            back.join(0.3)  # it waits for this
            second.close()

    taking = threading.Thread(target=take, daemon=True)
    taking.start()
    taking.join(10)
    back.join(10)
    assert not taking.is_alive()
    assert not back.is_alive()


def test_a_kept_connection_that_died_while_it_rested_is_replaced(
    postgresql: Database, watcher: Database, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("authserver.store.engine.IDLE_SECONDS", 0)
    before = process(postgresql)
    end(watcher, before)
    assert process(postgresql) != before


def test_after_the_server_was_away_one_call_fails_and_all_connections_are_new(
    postgresql: Database, watcher: Database, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("authserver.store.engine.IDLE_SECONDS", 3600)
    with held(postgresql, watcher, 3):
        before = connections(watcher)
    assert len(before) == 3
    for pid in before:
        end(watcher, pid)
    with pytest.raises(OperationalError):
        process(postgresql)
    with ThreadPoolExecutor(5) as threads:
        assert before.isdisjoint(threads.map(lambda _: process(postgresql), range(50)))


def test_closing_closes_what_rests_at_once_and_what_is_in_use_when_it_is_done(postgresql: Database, watcher: Database):
    with held(postgresql, watcher, 1):
        in_use = connections(watcher)
        assert process(postgresql) not in in_use
        postgresql.close()
        while connections(watcher) != in_use:  # processes take a moment to end
            pass
    while connections(watcher):
        pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_process_that_forks_without_closing_shares_no_connection_and_ends_none(postgresql: Database):
    before = process(postgresql)
    child = os.fork()
    if child == 0:
        own = process(postgresql)
        postgresql.close()
        os._exit(own == before)
    assert os.waitpid(child, 0)[1] == 0
    assert process(postgresql) == before


def test_a_statement_that_the_session_does_not_know_is_prepared_again(postgresql: Database):
    """As behind a pooler, which hands each transaction to any session."""
    assert postgresql.at_once("SELECT %(number)s::int + 1 AS more", {"number": 1}).more == 2
    postgresql.at_once("DEALLOCATE ALL", {})
    assert postgresql.at_once("SELECT %(number)s::int + 1 AS more", {"number": 2}).more == 3


def test_a_statement_that_the_session_knows_already_is_used_as_it_is(postgresql: Database):
    asked = "SELECT 40 + 2 AS found"
    postgresql.at_once(f"PREPARE {numbered(asked).key.decode()} AS {asked}", {})
    assert postgresql.at_once(asked, {}).found == 42


def test_two_statements_never_share_a_name(postgresql: Database):
    assert numbered("SELECT 1 AS one").key != numbered("SELECT 1 AS two").key
    assert len(numbered("SELECT 1").key) < 64  # PostgreSQL cuts off the rest


def test_each_statement_is_committed_when_it_returns(postgresql: Database):
    postgresql.at_once("UPDATE config_epoch SET epoch = 4711", {})
    with postgresql.reading() as connection:
        assert connection.scalar(text("SELECT epoch FROM config_epoch")) == 4711


def test_values_go_and_come_as_the_driver_has_them(postgresql: Database):
    found = postgresql.at_once(
        """SELECT %(text)s::text AS text, %(bytes)s::bytea AS bytes, %(number)s::bigint AS number,
                  %(none)s::text AS none, %(yes)s::boolean AS yes, %(json)s::json AS json,
                  5 %% 3 AS rest, %(text)s::text || '!' AS again""",
        {"text": "café \U0001f600 %s $1", "bytes": b"\0\\x'", "number": -(2**63), "none": None, "yes": True}
        | {"json": '{"a": [1, null]}', "not asked for": object()},
    )
    assert tuple(found) == ("café \U0001f600 %s $1", b"\0\\x'", -(2**63), None, True, {"a": [1, None]}, 2, found.again)
    assert found.again == "café \U0001f600 %s $1!"


def test_text_with_a_nul_is_refused_and_not_cut_off_there(postgresql: Database):
    with pytest.raises(DataError):
        postgresql.at_once("SELECT %(text)s::text AS text", {"text": "a\0b"})
    assert postgresql.at_once("SELECT %(text)s::text AS text", {"text": ""}).text == ""


def test_no_row_is_none(postgresql: Database):
    assert postgresql.at_once("SELECT 1 AS one WHERE false", {}) is None
    assert postgresql.at_once("SELECT 1 AS one", {}).one == 1
