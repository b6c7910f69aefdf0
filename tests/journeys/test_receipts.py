"""Receipts between real processes: whichever of them is away or killed, what was answered is told, and told once."""

import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from authserver.store.tool_calls import CallFilter, CallListing
from tests.conformance.site import PASSWORD, create_site
from tests.database import Databases

from .minting import Mint
from .ports import free_port
from .stage import ROOT, STOP_SECONDS, Account, Stage

PATIENCE = 60  # seconds
ANYTHING = ("notes:read=See your notes", "notes:write=Write notes")


@dataclass
class Place:
    """An authorization server and a guarded MCP server, each of which can be started and ended."""

    stage: Stage
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    answered: list[str] = field(default_factory=list)

    def start(self, name: str) -> None:
        """Start the process called *name*, and wait until it answers."""
        commands = {
            "authorization server": [str(Path(sys.executable).with_name("authserver")), "serve"],
            "guarded server": [sys.executable, "-m", "tests.journeys.guarded_server"],
        }
        urls = {
            "authorization server": f"{self.stage.issuer}/health/ready",
            "guarded server": f"{self.stage.resource.removesuffix('/mcp')}/.well-known/oauth-protected-resource",
        }
        with (self.stage.home / "processes.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                commands[name], env=dict(self.stage.environment), cwd=ROOT, stdout=log, stderr=log
            )
        until(lambda: answers(urls[name]))

    def end(self, name: str) -> None:
        """End it in good order."""
        self.processes[name].terminate()
        self.processes[name].wait(STOP_SECONDS)

    def kill(self, name: str) -> None:
        """Have it die in the middle of whatever it does."""
        self.processes[name].kill()
        self.processes[name].wait(STOP_SECONDS)

    def call(self, http: httpx2.Client, token: str) -> int:
        """Call a tool once; what was answered is noted by its correlation id."""
        name = uuid4().hex
        arguments = {"number": len(self.answered), "text": "not to be seen"}
        params = {"name": "list_notes", "arguments": arguments}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        headers = {"Authorization": f"Bearer {token}", "X-Request-ID": name}
        status = http.post(self.stage.resource, json=body, headers=headers).status_code
        if status == 200:
            self.answered.append(name)
        return status

    def call_until_it_dies(self, token: str) -> None:
        """Go on calling until nobody answers."""
        with httpx2.Client() as http, suppress(httpx2.TransportError):
            while self.call(http, token) == 200:
                pass


def until(true) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


def answers(url: str) -> bool:
    try:
        return httpx2.get(url).status_code == 200
    except httpx2.TransportError:
        return False


@pytest.fixture
def place(databases: Databases, tmp_path: Path) -> Iterator[tuple[Place, Mint]]:
    url, as_port, port = databases.create(), free_port(), free_port()
    issuer, resource = f"http://localhost:{as_port}", f"http://localhost:{port}/mcp"
    create_site(url, tmp_path, issuer=issuer).deployment.stores.database.close()
    environment = {
        "AUTHSERVER_HOME": str(tmp_path),
        "AUTHSERVER_DATABASE_URL": url,
        "AUTHSERVER_ISSUER": issuer,
        "AUTHSERVER_BIND": f"127.0.0.1:{as_port}",
        "AUTHSERVER_WORKERS": "2",
        "GUARDED_RESOURCE": resource,
        "GUARDED_ISSUER": issuer,
        "GUARDED_KEY": str(tmp_path / "guard.jwk"),
        "GUARDED_SPOOL": str(tmp_path / "spool"),
        "GUARDED_PORT": str(port),
    }
    people = Account("root", PASSWORD), Account("ada", PASSWORD)
    running = Place(Stage(issuer, resource, *people, tmp_path, as_port, environment))
    add = ("resource", "add", resource, "--name", "Guarded", "--guard-key", str(tmp_path / "guard.jwk"))
    running.stage.authserver(*add, *(part for scope in ANYTHING for part in ("--scope", scope)))
    minting = Mint(running.stage, url)
    try:
        yield running, minting
    finally:
        minting.stores.database.close()
        for process in running.processes.values():
            process.kill()
            process.wait(STOP_SECONDS)
        databases.drop(url)


def told(mint: Mint) -> list[CallListing]:
    """All receipts that the authorization server has."""
    found: list[CallListing] = []
    after: str | None = None
    while True:
        page = mint.stores.tool_calls.page(CallFilter(), after, 500)
        found += page
        if (after := page.after) is None:
            return found


@pytest.mark.requirement("RS-8")
def test_no_answered_call_is_missing_and_none_is_told_twice_whatever_is_down_or_killed(
    place: tuple[Place, Mint],
) -> None:
    running, mint = place
    for name in ("authorization server", "guarded server"):
        running.start(name)
    minted = mint.token()
    token = minted.access_token
    with httpx2.Client() as http:
        assert running.call(http, token) == 200
        until(lambda: len(told(mint)) == 1)

        running.end("authorization server")
        for _ in range(30):
            assert running.call(http, token) == 200

        callers = [threading.Thread(target=running.call_until_it_dies, args=(token,)) for _ in range(4)]
        for caller in callers:
            caller.start()
        until(lambda: len(running.answered) > 200)
        running.kill("guarded server")
        for caller in callers:
            caller.join(STOP_SECONDS)
    assert len(told(mint)) == 1

    running.start("guarded server")
    running.start("authorization server")
    with httpx2.Client() as http:
        until(lambda: running.call(http, token) == 200)
    until(lambda: set(running.answered) <= {line.correlation_id for line in told(mint)})
    running.end("guarded server")
    times = Counter(line.correlation_id for line in told(mint))
    assert set(times.values()) == {1}
    # Four calls at most were under way when it was killed: made, and not answered.
    assert len(running.answered) <= len(times) <= len(running.answered) + 4
    assert {(line.grant_id, line.username, line.client_id) for line in told(mint)} == {
        (minted.grant_id, "ada", minted.client_id)
    }
    assert all(line.arguments["text"] == "[redacted]" for line in told(mint))
    assert not [file for file in (running.stage.home / "spool").rglob("*.receipts") if file.stat().st_size]
    log = (running.stage.home / "processes.log").read_text()
    assert not any(part in log for part in token.split("."))
