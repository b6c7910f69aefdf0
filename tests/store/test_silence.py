"""A server that says nothing any more, on connections that nobody has closed."""

import os
import signal
from collections.abc import Iterator

import pytest
from sqlalchemy.exc import OperationalError

from authserver.store.bounds import Bounds
from authserver.store.database import Database
from authserver.store.engine import create

BOUNDS = Bounds(lock=30, statement=60)
MY_PROCESS = "SELECT pg_backend_pid() AS pid"


@pytest.fixture
def watched(database: Database) -> Iterator[Database]:
    if database.dialect != "postgresql":
        pytest.skip("about PostgreSQL's connections; SQLite has no server that could fall silent")
    url = database.engine.url.render_as_string(hide_password=False)
    made = Database(create(url, BOUNDS), BOUNDS)
    made.give_up_on_silence()
    yield made
    made.close()


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


def test_what_takes_long_is_waited_for_while_the_server_is_not_silent(watched: Database):
    with watched.reading() as connection:
        assert connection.exec_driver_sql("SELECT 1 FROM pg_sleep(5)").scalar_one() == 1
