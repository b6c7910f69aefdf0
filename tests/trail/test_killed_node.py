"""Acceptance: a node is killed under load, and nothing that was done is missing from the trail, nor from its target."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import text

from authserver.store.database import Database
from authserver.store.engine import create
from tests.journeys.ports import free_port
from tests.outbound.authority import Authority
from tests.ready import is_ready

from .collectors import Hook, hook
from .test_streaming import wait_for
from .test_targets import SECRET

AUTHSERVER = str(Path(sys.executable).with_name("authserver"))
THREADS = 4
ENOUGH = 40


@pytest.fixture
def environment(tmp_path: Path, fresh_database_url: str) -> dict[str, str]:
    port = free_port()
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("AUTHSERVER_")},
        "AUTHSERVER_HOME": str(tmp_path / "home"),
        "AUTHSERVER_DATABASE_URL": fresh_database_url,
        "AUTHSERVER_ISSUER": f"http://127.0.0.1:{port}",
        "AUTHSERVER_BIND": f"127.0.0.1:{port}",
        "AUTHSERVER_WORKERS": "2",
        "AUTHSERVER_REGISTRATIONS_PER_ADDRESS": "100000 per minute",
        "AUTHSERVER_REGISTRATION_FLOOD_PER_ADDRESS": "100000 per minute",
    }


@contextmanager
def serving(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A node in a process group of its own, so that all of it can be killed at once."""
    node = subprocess.Popen([AUTHSERVER, "serve"], env=environment, start_new_session=True)
    try:
        wait_for(lambda: is_ready(environment["AUTHSERVER_ISSUER"]))
        yield node
    finally:
        with suppress(ProcessLookupError):
            os.killpg(node.pid, signal.SIGKILL)
        node.wait(30)


def register(issuer: str, answered: list[str], stop: threading.Event, most: float = float("inf")) -> None:
    """Clients without end, or until there are so many, or the node is gone."""
    with suppress(httpx2.TransportError):
        while len(answered) < most and not stop.is_set():
            asked = {"client_name": f"Editor {len(answered)}", "redirect_uris": ["http://127.0.0.1/callback"]}
            answer = httpx2.post(f"{issuer}/register", json={**asked, "token_endpoint_auth_method": "none"})
            assert answer.status_code == 201, answer.text
            answered.append(answer.json()["client_id"])


def kill_under_load(environment: dict[str, str]) -> list[str]:
    """The ids of clients whose registration was answered before the node was killed."""
    answered: list[str] = []
    stop = threading.Event()
    issuer = environment["AUTHSERVER_ISSUER"]
    with serving(environment) as node:
        crowd = [threading.Thread(target=register, args=(issuer, answered, stop)) for _ in range(THREADS)]
        for one in crowd:
            one.start()
        wait_for(lambda: len(answered) >= ENOUGH)
        os.killpg(node.pid, signal.SIGKILL)
        for one in crowd:
            one.join(30)
    stop.set()
    return answered


def told(database: Database) -> list[str]:
    """Of which clients the trail says that they were registered."""
    with database.reading() as connection:
        return [*connection.scalars(text("SELECT client_id FROM audit_events WHERE name = 'client.registered'"))]


def saved(database: Database) -> set[str]:
    with database.reading() as connection:
        return {*connection.scalars(text("SELECT client_id FROM clients"))}


def events_at(found: Hook) -> set[str]:
    return {event["client_id"] for event in found.events if event["name"] == "client.registered"}


def test_no_event_is_lost_when_a_node_is_killed_under_load(environment: dict[str, str], tmp_path: Path):
    authority = Authority(tmp_path)
    context = authority.serving("127.0.0.1")
    with hook(context) as first:
        environment |= {
            "AUTHSERVER_AUDIT_WEBHOOK": first.url,
            "AUTHSERVER_AUDIT_WEBHOOK_SECRET": SECRET,
            "AUTHSERVER_FETCH_CA_FILE": str(authority.ca_file),
            "AUTHSERVER_FETCH_ENTERED_NETWORKS": f'["127.0.0.1:{first.port}=127.0.0.1/32"]',
        }
        subprocess.run([AUTHSERVER, "init"], env=environment, check=True, capture_output=True, timeout=60)
        answered = kill_under_load(environment)
    answered += kill_under_load(environment)  # while the webhook is down
    database = Database(create(environment["AUTHSERVER_DATABASE_URL"]))
    with database.transaction() as connection:
        connection.execute(text("UPDATE audit_streams SET leased_until = 0"))  # as a minute does
    with hook(context, first.port) as second, serving(environment):
        wait_for(lambda: events_at(first) | events_at(second) >= saved(database))
    assert set(answered) <= saved(database)
    assert sorted(told(database)) == sorted(saved(database))
    database.close()
    verify = [AUTHSERVER, "audit", "verify"]
    verified = subprocess.run(verify, check=False, env=environment, capture_output=True, text=True)
    assert verified.returncode == 0, verified.stdout
