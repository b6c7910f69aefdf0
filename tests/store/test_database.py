"""Connections, transactions and the clock."""

import os
import threading
import time
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Connection, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from authserver.store.clock import now, now_in_milliseconds
from authserver.store.database import Database, connect
from authserver.store.epoch import bump
from authserver.store.models import EpochRow
from authserver.store.stores import Stores

from .scene import EVENT


@pytest.fixture
def sqlite(database: Database) -> Database:
    if database.dialect != "sqlite":
        pytest.skip("about SQLite's own settings")
    return database


@pytest.fixture
def postgresql(database: Database) -> Database:
    if database.dialect != "postgresql":
        pytest.skip("about PostgreSQL's connections; SQLite has no server that could close one")
    return database


def epoch(database: Database) -> int:
    with database.reading() as connection:
        return connection.execute(select(EpochRow.epoch)).scalar_one()


def test_connecting_an_app_opens_no_connection(tmp_path: Path):
    database = connect(Flask("store"), f"sqlite:///{tmp_path}/none.sqlite3")
    assert list(tmp_path.iterdir()) == []
    assert database.engine.pool.status().startswith("Pool size: 5  Connections in pool: 0")


def test_a_relative_path_means_the_folder_that_the_process_runs_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    database = connect(Flask("store"), "sqlite:///here.sqlite3")
    with database.reading():
        pass
    database.close()
    assert (tmp_path / "here.sqlite3").exists()


def test_two_apps_have_two_databases(tmp_path: Path):
    one, other = (connect(Flask("store"), f"sqlite:///{tmp_path}/{name}.sqlite3") for name in ("one", "other"))
    assert one.engine is not other.engine


@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("foreign_keys", 1), ("synchronous", 2), ("busy_timeout", 5000)]
)
def test_sqlite_is_durable_checks_foreign_keys_and_waits_for_locks(sqlite: Database, pragma: str, value: object):
    with sqlite.reading() as connection:
        assert connection.execute(text(f"PRAGMA {pragma}")).scalar_one() == value


def test_postgresql_does_not_trade_durability_for_speed(postgresql: Database):
    with postgresql.reading() as connection:
        changed = text("SELECT name FROM pg_settings WHERE source IN ('client', 'session') AND name LIKE '%commit%'")
        assert connection.scalars(changed).all() == []


def _bump_and_fail(connection: Connection) -> None:
    bump(connection)
    connection.execute(insert(EpochRow).values(id=1, epoch=1))


def test_an_error_rolls_the_whole_transaction_back(database: Database):
    before = epoch(database)
    with pytest.raises(IntegrityError), database.transaction() as connection:
        _bump_and_fail(connection)
    assert epoch(database) == before


def test_transactions_that_read_before_they_write_lose_no_update(database: Database):
    def add_one() -> None:
        for _ in range(5):
            with database.transaction() as connection:
                bump(connection)

    before = epoch(database)
    threads = [threading.Thread(target=add_one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert epoch(database) == before + 20


def test_a_read_does_not_wait_for_a_writer(database: Database):
    before = epoch(database)
    with database.transaction() as connection:
        bump(connection)
        assert epoch(database) == before
    assert epoch(database) == before + 1


def test_after_a_transaction_a_connection_commits_each_statement_again(database: Database):
    with database.transaction() as connection:
        bump(connection)
    before = epoch(database)
    with database.reading() as connection:
        connection.execute(text("UPDATE config_epoch SET epoch = epoch + 1"))
        assert epoch(database) == before + 1


def test_the_clock_is_in_unix_seconds_and_milliseconds(database: Database):
    began = time.time()
    with database.reading() as connection:
        seconds, milliseconds = connection.execute(select(now, now_in_milliseconds)).one()
    assert began - 2 < seconds < time.time() + 1
    assert began - 1 < milliseconds / 1000 < time.time() + 1
    assert isinstance(seconds, int)
    assert isinstance(milliseconds, int)


def test_a_connection_that_the_server_closed_while_it_rested_is_replaced(
    postgresql: Database, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("authserver.store.engine.IDLE_SECONDS", 0)
    with postgresql.reading() as connection:
        process = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    with postgresql.reading() as first, postgresql.reading() as second:
        pids = [c.execute(text("SELECT pg_backend_pid()")).scalar_one() for c in (first, second)]
        assert process in pids
        other = second if pids[0] == process else first
        other.execute(text("SELECT pg_terminate_backend(:process, 5000)"), {"process": process})
    with postgresql.reading() as first, postgresql.reading() as second:
        for connection in (first, second):
            connection.execute(text("SELECT 1"))


def end(database: Database, process: int) -> None:
    """End the PostgreSQL *process* of a connection, and wait until it is gone."""
    with database.reading() as killer:
        killer.execute(text("SELECT pg_terminate_backend(:process, 5000)"), {"process": process})


def test_a_lost_server_is_an_operational_error_once_and_the_connections_are_made_anew(postgresql: Database):
    end(postgresql, postgresql.at_once("SELECT pg_backend_pid() AS pid", {}).pid)
    with pytest.raises(OperationalError):
        postgresql.at_once("SELECT 1 AS one", {})
    assert postgresql.at_once("SELECT 1 AS one", {}).one == 1


def test_a_mistake_in_a_statement_leaves_the_connection_usable(postgresql: Database):
    with pytest.raises(DBAPIError):
        postgresql.at_once("SELECT nonsense", {})
    assert postgresql.at_once("SELECT 1 AS one", {}).one == 1


def test_a_connection_that_is_in_use_when_all_are_closed_is_closed_when_it_comes_back(database: Database):
    with database.reading() as connection:
        kept = connection.connection.dbapi_connection
        database.close()
        assert connection.scalar(text("SELECT 1")) == 1
    with pytest.raises(database.engine.dialect.loaded_dbapi.Error, match="closed"):
        kept.cursor().execute("SELECT 1")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_process_uses_connections_of_its_own(database: Database):
    before = epoch(database)
    database.close()
    child = os.fork()
    if child == 0:
        try:
            with database.transaction() as connection:
                bump(connection)
        except DBAPIError:
            os._exit(1)
        database.close()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert epoch(database) == before + 1


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800", "café \U0001f600", "%", "_", "\\", "'; --"])
def test_any_text_can_be_looked_up_and_listed_by(stores: Stores, text: str):
    assert stores.clients.find(text) is None
    assert stores.clients.tombstoned(text) is False
    assert stores.users.find(text) is None
    assert stores.users.by_name(text) is None
    assert stores.grants.revoke(text, EVENT) is False
    assert stores.grants.for_user(text) == ()
    for listing in (stores.clients, stores.users, stores.grants):
        assert listing.page(text, text, 5).lines == ()
    for after in ("99999999999999999999.x", "-1.x", "1", ".", "\u0661.x", f"{2**63}.x"):
        assert stores.users.page("", after, 5).after is None
