"""The databases that the tests stand on are real, separate, and end with the tests."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa

from tests.database import SqliteDatabases, postgresql_server

ROOT = Path(__file__).resolve().parents[2]
RUN_A_SERVER = """
import time
from tests.database import postgresql_server
with postgresql_server() as url:
    print(url, flush=True)
    time.sleep(600)
"""


def execute(url, *statements):
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        results = [connection.execute(sa.text(statement)) for statement in statements]
        return results[-1].all() if results[-1].returns_rows else None


def tables(url):
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    return sa.inspect(engine).get_table_names()


def postmaster(url):
    data = sa.make_url(url).query["host"]
    return psutil.Process(int(Path(str(data), "postmaster.pid").read_text().split()[0]))


@pytest.mark.parametrize("_round", range(2))
def test_each_test_gets_an_empty_database_of_its_own(fresh_database_url, _round):
    assert tables(fresh_database_url) == []
    execute(fresh_database_url, "CREATE TABLE t (n INTEGER)")
    assert tables(fresh_database_url) == ["t"]


def test_the_run_uses_the_database_it_was_asked_for(database_url, pytestconfig):
    asked = pytestconfig.getoption("database")
    assert sa.make_url(database_url).get_backend_name() == asked
    if asked == "postgresql":
        assert execute(database_url, "SHOW server_version")[0][0].startswith("18.")


def test_a_copy_has_the_rows_of_its_template_and_lives_its_own_life(databases, fresh_database_url):
    execute(fresh_database_url, "CREATE TABLE t (n INTEGER)", "INSERT INTO t VALUES (1)")
    copy = databases.create(template=fresh_database_url)
    execute(copy, "INSERT INTO t VALUES (2)")
    assert execute(copy, "SELECT n FROM t ORDER BY n") == [(1,), (2,)]
    assert execute(fresh_database_url, "SELECT n FROM t") == [(1,)]
    databases.drop(copy)


def test_a_copy_of_an_sqlite_file_has_what_is_still_in_the_write_ahead_log(tmp_path):
    databases = SqliteDatabases(tmp_path)
    url = databases.create()
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        connection.exec_driver_sql("CREATE TABLE t (n INTEGER)")
        connection.commit()
        assert tables(databases.create(template=url)) == ["t"]
    engine.dispose()


def test_a_database_can_be_dropped_while_someone_is_connected(databases):
    url = databases.create()
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        connection.execute(sa.text("SELECT 1"))
        databases.drop(url)
        connection.invalidate()
    engine.dispose()


def test_the_server_ends_and_leaves_nothing_when_its_time_is_over():
    with postgresql_server() as url:
        process = postmaster(url)
        folder = Path(str(sa.make_url(url).query["host"])).parent
    assert not process.is_running()
    assert not folder.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent died")
def test_the_server_ends_when_the_process_that_started_it_is_killed():
    parent = subprocess.Popen([sys.executable, "-c", RUN_A_SERVER], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent, parent.stdout:
        process = postmaster(parent.stdout.readline().strip())
        os.kill(parent.pid, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "PostgreSQL outlived the process that started it"
        time.sleep(0.02)
