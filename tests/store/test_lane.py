"""The hot lane: connections that statements keep for themselves, and what may happen to these."""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from authserver.store.bounds import UNBOUNDED
from authserver.store.database import Database
from authserver.store.driver import numbered
from authserver.store.engine import create

MY_PROCESS = "SELECT pg_backend_pid() AS pid"
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
    while connections(watching):  # those of the test before take a moment to end
        pass
    yield watching
    watching.close()


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


@contextmanager
def held(postgresql: Database, watcher: Database, count: int) -> Iterator[None]:
    """*count* calls that do not return before the block ends."""
    statement = "SELECT pg_advisory_xact_lock(1)::text"
    threads = [threading.Thread(target=postgresql.at_once, args=(statement, {})) for _ in range(count)]
    try:
        with watcher.transaction() as holding:
            holding.execute(text(statement))
            for thread in threads:
                thread.start()
            with watcher.reading() as connection:
                waiting = text(f"SELECT count(*) {WATCHED} AND wait_event = 'advisory'")
                while connection.scalar(waiting) < count:
                    pass
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
    before = process(postgresql)
    postgresql._lane.close()
    assert process(postgresql) == before


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
