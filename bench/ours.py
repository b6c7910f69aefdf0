"""Our server: ``authserver serve`` with its own settings for workers and threads, on a durable PostgreSQL."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from authserver.app import create_app
from authserver.services.deployment import Deployment
from authserver.settings import load

from .approvals import SCOPES, Approvals
from .contestant import BenchError, Code, Credentials
from .database import Database
from .process import answers, free_port, running

COMMAND = str(Path(sys.executable).with_name("authserver"))
UNLIMITED = "1000000 per second"


@dataclass(frozen=True, slots=True)
class Ours:
    """The running server and its database; codes are written through the store, into the database that it serves."""

    origin: str
    roots: tuple[int, ...]
    approvals: Approvals
    credentials: Credentials
    name: str = "authserver"

    def codes(self, count: int, client_ids: Sequence[str], *, introspectable: bool = False) -> list[Code]:
        """See `Contestant`. All our access tokens can be introspected."""
        return self.approvals.codes(count, client_ids)

    def introspector(self) -> Credentials:
        """See `Contestant`."""
        return self.credentials


@contextmanager
def authserver(folder: Path, database: Database, resource: str) -> Iterator[Ours]:
    """Run the server, with its home in *folder*, until the block ends."""
    port = free_port()
    environment = _environment(folder, database, port)
    _run(environment, "init")
    scopes = [part for name in SCOPES for part in ("--scope", f"{name}=Work with notes")]
    _run(environment, "resource", "add", resource, "--name", "Notes", *scopes, "--default", SCOPES[0])
    credentials = _credentials(_run(environment, "resource", "credentials", resource))
    found = _deployment(environment)
    log = folder / "authserver.log"
    with running([COMMAND, "serve"], log, ready=lambda: answers(port), environment=environment) as process:
        approvals = Approvals(found.stores, resource)
        yield Ours(f"http://127.0.0.1:{port}", (process.pid, database.pid), approvals, credentials)
    found.stores.database.close()


def _environment(folder: Path, database: Database, port: int) -> dict[str, str]:
    return {
        **os.environ,
        "AUTHSERVER_BIND": f"127.0.0.1:{port}",
        "AUTHSERVER_DATABASE_URL": database.url,
        "AUTHSERVER_HOME": str(folder),
        "AUTHSERVER_ISSUER": f"http://localhost:{port}",
        "AUTHSERVER_REGISTRATIONS_PER_ADDRESS": UNLIMITED,
    }


def _run(environment: Mapping[str, str], *arguments: str) -> str:
    command = [COMMAND, *arguments]
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if finished.returncode:
        raise BenchError(f"authserver {arguments[0]}: {finished.stdout}{finished.stderr}")
    return finished.stdout


def _credentials(said: str) -> Credentials:
    found = dict(re.findall(r"^(\w+): (\S+)$", said, re.MULTILINE))
    return Credentials(found["client_id"], found["client_secret"])


def _deployment(environment: Mapping[str, str]) -> Deployment:
    """The deployment as this process sees it, for its stores."""
    os.environ.update(environment)
    found: Deployment = create_app(load()).extensions["authserver"]
    return found
