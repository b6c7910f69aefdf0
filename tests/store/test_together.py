"""Calls that come together are committed together (decision 27), and each is told what it would be told alone."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from authserver.store.bounds import Bounds
from authserver.store.database import Database, connect
from authserver.store.engine import create
from tests.pooler import pgbouncer

CALL = """
SELECT pg_advisory_xact_lock_shared(%(gate)s::int)::text AS passed, pg_current_xact_id()::text AS xid,
       current_setting('lock_timeout') AS patience, %(key)s::text AS key, 6 / length(%(key)s::text) AS share,
       clock_timestamp() AS at
WHERE %(key)s::text <> 'nobody'
"""
AT_THE_GATE = """
FROM pg_locks JOIN pg_database ON pg_database.oid = database
WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted
"""


@pytest.fixture
def postgresql(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    if database.dialect != "postgresql":
        pytest.skip("about PostgreSQL's commits; on SQLite all statements are one writer's")
    monkeypatch.setattr("authserver.store.together.PATIENCE", 60)
    database.close()
    return database


def call(database: Database, key: str, gate: int = 1) -> Any:
    return database.at_once(CALL, {"key": key, "gate": gate}, by=("key",))


@contextmanager
def shut(postgresql: Database, gate: int = 1) -> Iterator[Connection]:
    url = postgresql.engine.url.render_as_string(hide_password=False)
    with closing(Database(create(url))) as apart, apart.transaction() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:gate)"), {"gate": gate})
        yield connection


def await_at_the_gate(connection: Connection, count: int) -> None:
    while connection.scalar(text(f"SELECT count(*) {AT_THE_GATE}")) < count:
        pass


@contextmanager
def stuck(postgresql: Database, callers: ThreadPoolExecutor) -> Iterator[Future[Any]]:
    """A call that is under way until the block ends."""
    with shut(postgresql) as connection:
        first = callers.submit(call, postgresql, "first")
        await_at_the_gate(connection, 1)
        yield first


def behind(postgresql: Database, callers: ThreadPoolExecutor, keys: Sequence[str], gate: int = 1) -> list[Future[Any]]:
    """Calls for *keys* that have come to stand in the queue, in this order."""
    found, queue = [], postgresql._lane._together[CALL]
    for key in keys:
        before = len(queue._waiting)
        found.append(callers.submit(call, postgresql, key, gate))
        while len(queue._waiting) == before:
            pass
    return found


def told(calls: Sequence[Future[Any]]) -> list[str]:
    """The error of each of *calls*, or its key."""
    wrongs = [(one.exception(), one) for one in calls]
    return [type(wrong).__name__ if wrong else one.result().key for wrong, one in wrongs]


def test_who_is_alone_is_committed_alone(postgresql: Database):
    before = postgresql.committed.counts()
    assert [call(postgresql, key).key for key in ("one", "two")] == ["one", "two"]
    assert postgresql.committed.counts() == {**before, "alone": before.get("alone", 0) + 2}


def test_calls_that_come_while_one_is_under_way_are_one_transaction_each_with_its_own_answer(postgresql: Database):
    before = postgresql.committed.counts().get("together", 0)
    with ThreadPoolExecutor(8) as callers:
        with stuck(postgresql, callers) as first:
            later = behind(postgresql, callers, ["c", "nobody", "aa", "b"])
        found = [one.result() for one in later]
    assert [row and (row.key, row.share) for row in found] == [("c", 6), None, ("aa", 3), ("b", 6)]
    rows = [row for row in found if row]
    assert len({row.xid for row in rows}) == 1
    assert rows[0].xid != first.result().xid
    assert [row.key for row in sorted(rows, key=lambda row: row.at)] == ["aa", "b", "c"]  # whatever the order they came
    assert postgresql.committed.counts()["together"] == before + 4


def test_who_finds_no_room_in_one_transaction_goes_in_the_next(postgresql: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("authserver.store.together.MOST", 2)
    with ThreadPoolExecutor(8) as callers:
        with stuck(postgresql, callers):
            later = behind(postgresql, callers, ["one", "two", "three", "four", "five"])
        xids = [one.result().xid for one in later]
    assert xids[0] == xids[1] != xids[2] == xids[3] != xids[4] != xids[0]


def test_one_that_fails_is_told_alone(postgresql: Database):
    with ThreadPoolExecutor(8) as callers:
        with stuck(postgresql, callers):
            later = behind(postgresql, callers, ["one", "", "two"])
        assert told(later) == ["one", "DataError", "two"]
    assert call(postgresql, "after").key == "after"


def test_a_value_that_cannot_be_sent_is_told_alone(postgresql: Database):
    with ThreadPoolExecutor(8) as callers:
        with stuck(postgresql, callers):
            later = behind(postgresql, callers, ["one", "a\0b"])
        assert told(later) == ["one", "DataError"]


def test_when_the_connection_is_lost_nobody_is_done_again(postgresql: Database):
    """Nobody knows whether they were committed."""
    with ThreadPoolExecutor(8) as callers, shut(postgresql, 2) as connection:
        with stuck(postgresql, callers) as first:
            later = behind(postgresql, callers, ["one", "two"], gate=2)
        assert first.result().key == "first"
        await_at_the_gate(connection, 1)
        connection.execute(text(f"SELECT pg_terminate_backend(pid, 5000) {AT_THE_GATE}"))
        wrongs = [one.exception(timeout=20) for one in later]
        assert all(isinstance(wrong, OperationalError) and wrong.connection_invalidated for wrong in wrongs), wrongs


def test_what_is_stuck_holds_nobody_up(postgresql: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("authserver.store.together.PATIENCE", 0.01)
    with ThreadPoolExecutor(8) as callers:
        with stuck(postgresql, callers), postgresql.reading() as connection:
            later = [callers.submit(call, postgresql, key) for key in ("one", "two")]
            await_at_the_gate(connection, 3)
        assert len({one.result().xid for one in later}) == 2


def test_two_that_lock_the_same_rows_in_another_order_never_wait_for_each_other(postgresql: Database):
    deadlocks = "SELECT pg_stat_force_next_flush(), deadlocks FROM pg_stat_database WHERE datname = current_database()"
    count = "UPDATE together SET count = count + 1 WHERE key = %(key)s::int RETURNING count"
    url = postgresql.engine.url.render_as_string(hide_password=False)
    with postgresql.transaction() as connection:
        connection.execute(text("CREATE TABLE together AS SELECT key, 0 AS count FROM generate_series(0, 5) AS key"))
    try:
        with closing(connect(Flask("other node"), url)) as other, ThreadPoolExecutor(16) as callers:
            pairs = [((postgresql, key), (other, 5 - key)) for _ in range(60) for key in range(6)]
            done = [
                callers.submit(node.at_once, count, {"key": key}, by=("key",)) for pair in pairs for node, key in pair
            ]
            assert sum(1 for one in done if one.result()) == 720
            assert postgresql.committed.counts()["together"]
            assert other.committed.counts()["together"]
        with postgresql.reading() as connection:
            assert connection.scalar(text("SELECT sum(count) FROM together")) == 720
            assert connection.execute(text(deadlocks)).one().deadlocks == 0
    finally:
        with postgresql.transaction() as connection:
            connection.execute(text("DROP TABLE together"))


def test_through_a_pooler_too_with_what_is_set_for_each_transaction(postgresql: Database):
    url = postgresql.engine.url.render_as_string(hide_password=False)
    with (
        pgbouncer(url) as pooled,
        closing(connect(Flask("pooled"), pooled, Bounds(statement=15, lock=5, idle=30))) as through,
        ThreadPoolExecutor(8) as callers,
    ):
        for _ in range(3):  # in sessions that know the statement by then, and in others
            with stuck(through, callers):
                later = behind(through, callers, ["one", "nobody", "three"])
            found = [one.result() for one in later]
            assert [row and (row.key, row.patience) for row in found] == [("one", "5s"), None, ("three", "5s")]
            assert found[0].xid == found[2].xid
