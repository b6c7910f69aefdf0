"""SQLite's one writer: what comes meanwhile is one transaction (decision 27), and processes stand in line."""

import errno
import fcntl
import gc
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from threading import Event as Signal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import OperationalError

from authserver.store.database import Database, Work, connect
from authserver.store.models import AuditRow, RefreshTokenRow
from authserver.store.turn import LOOK_SECONDS, Turn

from .scene import Scene, refresh_token


@pytest.fixture
def sqlite(database: Database) -> Database:
    if database.dialect != "sqlite":
        pytest.skip("about SQLite's one writer")
    return database


@contextmanager
def behind(database: Database, deed: Callable[[str], Any], about: Sequence[str]) -> Iterator[list[Future[Any]]]:
    """*deed* about each: the first waits for its turn to write, and the others for it, until the block begins."""
    with ThreadPoolExecutor(len(about)) as callers:
        with database.transaction():
            done = []
            for number, one in enumerate(about, 1):
                done.append(callers.submit(deed, one))
                await_that(lambda at=number: waiting(database) == at)  # type: ignore[misc]
        yield done


def waiting(database: Database) -> int:
    return sum(len(queue._waiting) for queue in [*database._together.values()])


def await_that(true: Callable[[], bool]) -> None:
    while not true():
        pass


def count(database: Database, table: Any) -> int:
    with database.reading() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def echo(connection: Connection, asked: Sequence[str]) -> list[Any]:
    """Writes an event for each, and says it again with the number of events that there are then."""
    found = []
    for word in asked:
        connection.execute(
            text("INSERT INTO audit_events (at_ms, name, actor, outcome, address, correlation_id, detail, xid)"
                 " VALUES (1, :name, 'system', 'success', '', '', '{}', 0)"),
            {"name": word},
        )  # fmt: skip
        if word == "wrong":
            raise ValueError(word)
        found.append((word, connection.execute(text("SELECT count(*) FROM audit_events")).scalar_one()))
    return found


@pytest.mark.requirement("TK-3", "TK-4")
def test_refreshes_that_come_meanwhile_are_one_transaction_and_the_same_token_is_rotated_once(
    sqlite: Database, scene: Scene
):
    tokens = [scene.first_token() for _ in range(4)]
    presented = [tokens[0], tokens[1], tokens[1], tokens[2], tokens[3], tokens[1]]
    before, together = count(sqlite, RefreshTokenRow), sqlite.committed.counts().get("together", 0)
    with behind(sqlite, scene.refresh, presented) as done:
        answers = [refresh_token(one.result()) for one in done]
    assert len(set(answers)) == 4
    assert answers[1] == answers[2] == answers[5], "whoever comes second gets what the first got"
    assert count(sqlite, RefreshTokenRow) == before + 4
    assert sqlite.committed.counts()["together"] == together + 6
    for answer in set(answers):
        assert scene.refresh(answer)


def test_each_gets_its_own_answer_in_the_order_in_which_they_came(sqlite: Database):
    there = count(sqlite, AuditRow)
    words = ["first", "one", "two", "three"]
    with behind(sqlite, partial(sqlite.as_one_of_many, echo), words) as done:
        found = [one.result() for one in done]
    assert found == [(word, there + number) for number, word in enumerate(words, 1)]


def test_one_that_fails_is_told_alone_and_leaves_nothing(sqlite: Database):
    there = count(sqlite, AuditRow)
    words = ["first", "one", "wrong", "two"]
    with behind(sqlite, partial(sqlite.as_one_of_many, echo), words) as done:
        wrongs = [type(one.exception()) for one in done]
    assert wrongs == [type(None), type(None), ValueError, type(None)]
    assert count(sqlite, AuditRow) == there + 3


def test_a_locked_database_is_told_to_all_of_them_after_one_wait(
    sqlite: Database, url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("authserver.store.engine.BUSY_SECONDS", 1.0)
    path = str(sqlite.engine.url.database)
    with closing(connect(Flask("busy"), url)) as busy, closing(sqlite3.connect(path)) as other:
        attempts: list[int] = []

        def in_one(work: Work, asked: Sequence[Any]) -> Sequence[Any]:
            attempts.append(len(asked))
            return Database._in_one(busy, work, asked)

        monkeypatch.setattr(busy, "_in_one", in_one)
        with ThreadPoolExecutor(3) as callers:
            other.execute("BEGIN IMMEDIATE")  # somebody who stands in no line, say a backup
            first = callers.submit(busy.as_one_of_many, echo, "first")
            await_that(lambda: attempts == [1])
            later = [callers.submit(busy.as_one_of_many, echo, word) for word in ("one", "two")]
            assert [type(one.exception()) for one in (first, *later)] == [OperationalError] * 3
            other.rollback()
        assert attempts == [1, 2]
        assert busy.as_one_of_many(echo, "after")[0] == "after"


def test_one_has_the_turn_at_a_time_whichever_process_it_is(tmp_path: Path):
    """Two descriptions of the folder exclude each other, in one process as in two."""
    one, other, entered = Turn(tmp_path), Turn(tmp_path), Signal()

    def enter() -> None:
        with other:
            entered.set()

    with ThreadPoolExecutor(1) as threads:
        with one:
            done = threads.submit(enter)
            assert not entered.wait(0.2)
        done.result(timeout=10)
        assert entered.is_set()
    for turn in (one, other):
        turn.close()
        with turn:
            pass
        turn.close()


def test_who_is_stuck_with_the_turn_holds_nobody_up_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("authserver.store.turn.PATIENCE", 0.3)
    stuck, other = Turn(tmp_path), Turn(tmp_path)
    with stuck:
        began = time.monotonic()
        with other:
            assert time.monotonic() - began > 0.3
        for _ in range(20):  # and is waited for once, not by each that writes
            with other:
                pass
        assert time.monotonic() - began < 3
    third = os.open(tmp_path, os.O_RDONLY)
    with other, pytest.raises(BlockingIOError):  # it stands in line again
        fcntl.flock(third, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(third)
    stuck.close()
    other.close()


def test_the_threads_of_one_process_do_not_keep_the_turn_among_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    turn, third, looks = Turn(tmp_path), os.open(tmp_path, os.O_RDONLY), list[float]()

    def look_meanwhile(seconds: float) -> None:
        fcntl.flock(third, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(third, fcntl.LOCK_UN)
        looks.append(seconds)

    monkeypatch.setattr("authserver.store.turn.time.sleep", look_meanwhile)
    for _ in range(3):
        with turn:
            pass
    assert not looks, "who writes now and then waits for nobody"
    monkeypatch.setattr("authserver.store.turn.SHARE_SECONDS", -1.0)
    with turn:
        pass
    assert looks
    assert min(looks) > LOOK_SECONDS, "long enough that another process looks"
    os.close(third)
    turn.close()


def test_a_line_that_nobody_closed_lets_go_of_the_folder(tmp_path: Path):
    turn = Turn(tmp_path)
    with turn:
        pass
    file = turn._file
    assert file is not None
    del turn
    gc.collect()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(file)


def test_where_no_line_can_be_made_each_writes_as_it_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_given: object) -> None:
        raise PermissionError

    def lack(*_given: object) -> None:
        raise OSError(errno.ENOLCK, "no locks available")

    for lacking, why in ("os.open", refuse), ("fcntl.flock", lack):
        with monkeypatch.context() as patched:
            patched.setattr(f"authserver.store.turn.{lacking}", why)
            turn = Turn(tmp_path)
            with turn:
                pass
        turn.close()
