"""The servers of a journey: what ``make demo`` runs, on ports and data of its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from tests.forked import authserver

from .ports import free_port

ROOT = Path(__file__).parents[2]
KNOWN_SECONDS = 1.1  # after which each process has looked whether something has changed
STOP_SECONDS = 30
PORT_TRIES = 3
TAKEN = ("is taken", "in use")


@dataclass(frozen=True)
class Account:
    """A person who can sign in."""

    username: str
    password: str


@dataclass(frozen=True)
class Stage:
    """Running servers. ``environment`` is theirs: a command run with it acts on the same deployment."""

    issuer: str
    resource: str
    admin: Account
    user: Account
    home: Path
    as_port: int
    environment: Mapping[str, str]

    def authserver(self, *arguments: str) -> str:
        """Run the ``authserver`` command as an administrator would, until each process knows what it has changed."""
        said = self.at_once(*arguments)
        time.sleep(KNOWN_SECONDS)
        return said

    def at_once(self, *arguments: str) -> str:
        """Run the ``authserver`` command: processes may not know it yet."""
        return authserver(*arguments, environment=self.environment, folder=ROOT)

    def metadata(self) -> dict[str, Any]:
        """The authorization server's own description."""
        found: dict[str, Any] = httpx2.get(f"{self.issuer}/.well-known/oauth-authorization-server").json()
        return found


@contextmanager
def stage(home: Path, database_url: str, **overrides: str) -> Iterator[Stage]:
    """Run the demo in *home* over the empty database at *database_url*.

    *overrides* are more of its environment; ``{port}`` in them is the authorization server's own.
    """
    process, as_port, environment = _started(home, database_url, overrides)
    try:
        found = json.loads((home / "demo.json").read_text())
        yield Stage(
            issuer=found["issuer"],
            resource=found["resource"],
            admin=Account(**found["admin"]),
            user=Account(**found["user"]),
            home=home,
            as_port=as_port,
            environment=environment,
        )
    finally:
        process.terminate()
        process.communicate(timeout=STOP_SECONDS)


def _started(
    home: Path, database_url: str, overrides: Mapping[str, str]
) -> tuple[subprocess.Popen[str], int, dict[str, str]]:
    """The demo, once it is ready, with its port and environment; a port that another took meanwhile is given up."""
    for left in reversed(range(PORT_TRIES)):
        as_port, mcp_port = free_port(), free_port()
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AUTHSERVER_")},
            "AUTHSERVER_HOME": str(home),
            "AUTHSERVER_DATABASE_URL": database_url,
            "AS_PORT": str(as_port),
            "MCP_PORT": str(mcp_port),
            **{name: value.format(port=as_port) for name, value in overrides.items()},
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "demo"],
            env=environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            until_ready(process)
        except AssertionError as failed:
            process.terminate()
            process.communicate(timeout=STOP_SECONDS)
            if not left or not any(words in str(failed) for words in TAKEN):
                raise
        else:
            return process, as_port, environment
    raise AssertionError("unreachable")


def until_ready(demo: subprocess.Popen[str]) -> str:
    """What a starting *demo* prints until it says that it is ready."""
    assert demo.stdout is not None
    said = ""
    while "Ctrl-C" not in said:
        line = demo.stdout.readline()
        assert line, f"the demo did not start:\n{said}"
        said += line
    return said
