"""Acceptance: workers and nodes die again and again while all kinds of actions run; the trail misses nothing of it."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from authserver.store.database import Database
from authserver.store.engine import create
from tests.conformance.site import create_site
from tests.journeys.ports import free_port
from tests.outbound.authority import Authority

from .collectors import Hook, hook
from .mixed_load import Answered, Browser, administer, connect, govern, keep_on
from .reckoning import TOLD_OF, check_answered, rows
from .test_killed_node import AUTHSERVER, serving
from .test_streaming import wait_for
from .test_targets import SECRET

CROWD = (("ada", connect), ("ada", connect), ("ada", connect), ("root", administer), ("root", govern))
BETWEEN = 25  # answers from one death to the next
PATIENCE = 60  # seconds


@pytest.fixture
def environment(tmp_path: Path, fresh_database_url: str) -> dict[str, str]:
    port = free_port()
    issuer, home = f"http://127.0.0.1:{port}", tmp_path / "home"
    home.mkdir()
    create_site(fresh_database_url, home, issuer=issuer).deployment.stores.database.close()
    enough = (
        "REGISTRATIONS_PER_ADDRESS",
        "REGISTRATION_FLOOD_PER_ADDRESS",
        "SIGN_INS_PER_ADDRESS",
        "REFRESHES_PER_GRANT",
        "OWN_TOKENS_PER_CLIENT",
        "PAGES_PER_PERSON",
        "PAGES_PER_ADDRESS",
    )
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("AUTHSERVER_")},
        "AUTHSERVER_HOME": str(home),
        "AUTHSERVER_DATABASE_URL": fresh_database_url,
        "AUTHSERVER_ISSUER": issuer,
        "AUTHSERVER_BIND": f"127.0.0.1:{port}",
        "AUTHSERVER_WORKERS": "2",
        **{f"AUTHSERVER_{name}": "100000 per minute" for name in enough},
    }


@contextmanager
def crowd(issuer: str, answered: Answered) -> Iterator[None]:
    """All of them at once, for as long as the block runs."""
    stop = threading.Event()
    busy = [
        threading.Thread(target=keep_on, args=(act, Browser(issuer, username), answered, stop))
        for username, act in CROWD
    ]
    for one in busy:
        one.start()
    try:
        yield
    finally:
        stop.set()
        for one in busy:
            one.join(60)


def further(answered: Answered) -> None:
    """Wait until so much more was answered."""
    enough = answered.count + BETWEEN
    wait_for(lambda: answered.count >= enough, PATIENCE)


def kill_one_worker(node: subprocess.Popen[bytes]) -> None:
    workers = Path(f"/proc/{node.pid}/task/{node.pid}/children").read_text().split()
    os.kill(int(workers[0]), signal.SIGKILL)


def ids_at(*hooks: Hook) -> set[str]:
    return {event["id"] for found in hooks for event in found.events}


def each_kind(answered: Answered) -> bool:
    """Whether the load had an answer to each kind of change by now."""
    changed = (answered.clients, answered.revoked, answered.suspended, answered.groups, answered.rules)
    return all((*changed, answered.rotations))


@pytest.mark.skipif(sys.platform != "linux", reason="finds the workers of a node in /proc")
def test_whatever_dies_under_whatever_load_each_change_is_in_the_trail_and_at_its_target(
    environment: dict[str, str], tmp_path: Path
):
    authority, port, answered = Authority(tmp_path), free_port(), Answered()
    environment |= {
        "AUTHSERVER_AUDIT_WEBHOOK": f"https://127.0.0.1:{port}/audit",
        "AUTHSERVER_AUDIT_WEBHOOK_SECRET": SECRET,
        "AUTHSERVER_FETCH_CA_FILE": str(authority.ca_file),
        "AUTHSERVER_FETCH_ENTERED_NETWORKS": f'["127.0.0.1:{port}=127.0.0.1/32"]',
    }
    context = authority.serving("127.0.0.1")
    database = Database(create(environment["AUTHSERVER_DATABASE_URL"]))
    with crowd(environment["AUTHSERVER_ISSUER"], answered):
        with serving(environment) as node:  # the webhook is down
            for _ in range(2):
                further(answered)
                kill_one_worker(node)
            further(answered)
            os.killpg(node.pid, signal.SIGKILL)
        with hook(context, port) as first, serving(environment) as node:
            further(answered)
            kill_one_worker(node)
            further(answered)
            wait_for(lambda: each_kind(answered), PATIENCE)
            os.killpg(node.pid, signal.SIGKILL)
    with database.transaction() as connection:
        connection.execute(text("UPDATE audit_streams SET leased_until = 0"))  # as a minute does
    events = "SELECT xid || '-' || id FROM audit_events"
    with hook(context, port) as second, serving(environment):
        wait_for(lambda: ids_at(first, second) >= rows(database, events).keys(), PATIENCE)
    check_answered(database, answered)
    for state, trail in TOLD_OF.items():
        assert rows(database, state) == rows(database, trail), state
    assert ids_at(first, second) == rows(database, events).keys()
    assert each_kind(answered)
    database.close()
    verify = [AUTHSERVER, "audit", "verify"]
    verified = subprocess.run(verify, check=False, env=environment, capture_output=True, text=True)
    assert verified.returncode == 0, verified.stdout
