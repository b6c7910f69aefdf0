"""Nodes hear at once of what another one changes, and look once a second where they cannot hear."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import make_url, text

from authserver.protocol.audit import Event
from authserver.store import listening
from authserver.store.database import Database
from authserver.store.engine import create
from authserver.store.epoch import CHANNEL, ConfigEpoch
from authserver.store.listening import Listener
from tests.conformance.flow import Flow
from tests.conformance.site import Site
from tests.conformance.visitor import Visitor

MADE = Callable[..., Site]
LONG = 3600.0  # seconds for which an epoch would be taken for current: only who hears asks again
EVENT = Event("test.done", "system")
ANOTHER_PROCESS = """
import sys
from authserver.store.database import Database
from authserver.store.engine import create
from authserver.store.epoch import bump
database = Database(create(sys.argv[1]))
with database.transaction() as connection:
    bump(connection)
"""


@pytest.fixture
def node(site_with: MADE) -> Iterator[Database]:
    database = Database(create(site_with().deployment.settings.database_url))
    yield database
    database.close()


@contextmanager
def listener(node: Database) -> Iterator[ConfigEpoch]:
    """What a node knows of the epoch, once it listens."""
    epoch = ConfigEpoch(node)
    stop = Listener(url_of(node), epoch).start()
    try:
        until(lambda: listeners(node))
        yield epoch
    finally:
        stop.set()
        end_listeners(node)


def url_of(node: Database) -> str:
    return node.engine.url.render_as_string(hide_password=False)


def listeners(node: Database) -> list[int]:
    """The processes of PostgreSQL that have been told to listen, and rest since."""
    asked = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query = :query AND state = 'idle'"
    with node.reading() as connection:
        return list(connection.scalars(text(asked), {"query": f"LISTEN {CHANNEL}"}))


def end_listeners(node: Database) -> None:
    for pid in listeners(node):
        with node.reading() as connection:
            connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline


def change_elsewhere(node: Database) -> None:
    subprocess.run([sys.executable, "-c", ANOTHER_PROCESS, url_of(node)], check=True, timeout=60)


def test_a_change_by_another_process_is_heard(node: Database):
    with listener(node) as epoch:
        before = epoch.current(LONG)
        change_elsewhere(node)
        until(lambda: epoch.current(LONG) == before + 1)


def test_a_listener_that_lost_its_connection_listens_again_and_has_missed_nothing(
    node: Database, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(listening, "FIRST_PAUSE", 0.01)
    with listener(node) as epoch:
        before = epoch.current(LONG)
        end_listeners(node)
        change_elsewhere(node)  # perhaps while nobody listens
        until(lambda: epoch.current(LONG) == before + 1)
        until(lambda: listeners(node))
        change_elsewhere(node)
        until(lambda: epoch.current(LONG) == before + 2)


class Impatient(threading.Event):
    """Ends what it is waited for by, after eight pauses that it only notes."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.pauses.append(timeout)
        if len(self.pauses) == 8:
            self.set()
        return self.is_set()


def test_pauses_grow_while_nobody_answers(node: Database):
    stop = Impatient()
    Listener("postgresql://127.0.0.1:1/none", ConfigEpoch(node))._run(stop)
    assert stop.pauses == [1, 2, 4, 8, 16, 32, 60, 60]


def test_what_is_administered_is_announced_and_what_clients_ask_for_is_not(site_with: MADE):
    site = site_with()
    url = make_url(site.deployment.settings.database_url).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as hearing:
        hearing.execute(f"LISTEN {CHANNEL}")
        flow, visitor = Flow(site), Visitor(site)
        flow.tokens(visitor)
        flow.refresh()
        site.post("/revoke", data={"token": flow.values["refresh_token"], "client_id": flow.values["client_id"]})
        assert heard(hearing) == ["end"]
        site.deployment.stores.clients.delete(flow.values["client_id"], EVENT)
        assert heard(hearing) == ["", "end"]


def heard(hearing: psycopg.Connection) -> list[str]:
    """What was announced until now."""
    hearing.execute(f"NOTIFY {CHANNEL}, 'end'")
    found: list[str] = []
    for notice in hearing.notifies(timeout=60):
        found.append(notice.payload)
        if notice.payload == "end":
            break
    return found
