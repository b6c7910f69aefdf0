"""What runs: two nodes, PostgreSQL with a place for its standby, a proxy before each, Redis, and the load."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

from authserver.protocol import credential
from authserver.protocol.audit import Event
from authserver.protocol.client import AuthMethod, Client, ClientKind
from authserver.services.deployment import Deployment
from tests.conformance.site import NOTES, create_site
from tests.journeys.ports import free_port
from tests.redis_server import PROGRAM, RedisServer

from .load import Credentials, Load
from .nodes import Node
from .postgres import DATABASE, OWNER, Postgres
from .proxy import Proxy

ROOM = "768m"
WORKERS = 2  # of a node
MOVED = Path(__file__).parent / "moved"
REGISTERED = Event("client.registered", "system")
ENOUGH = (
    "REGISTRATIONS_PER_ADDRESS",
    "REGISTRATION_FLOOD_PER_ADDRESS",
    "SIGN_INS_PER_ADDRESS",
    "PAGES_PER_ADDRESS",
    "PAGES_PER_PERSON",
)


@dataclass
class Stage:
    """All of it. ``proxies`` lead to the server that leads from the beginning, and to where its standby will be."""

    folder: Path
    url: str
    postgres: Postgres
    proxies: tuple[Proxy, Proxy]
    nodes: tuple[Node, Node]
    load: Load
    redis: RedisServer | None
    """By which the nodes share their ceilings; None where it is not installed."""

    limited: bool
    """Whether the data lies on a file system of its own, which can be filled."""

    standbys: list[Postgres] = field(default_factory=list)

    def rolling(self, more: Mapping[str, str] | None = None) -> None:
        """Restart one node after the other, with *more* in its environment."""
        for node in self.nodes:
            status = node.terminate()
            assert status == 0, f"a node ended with {status} on SIGTERM"
            node.start(more)


@contextmanager
def stage() -> Iterator[Stage]:
    """Everything started, under the system's own place for temporary files: a Unix socket's path has 100 bytes."""
    with TemporaryDirectory(prefix="chaos-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        with _disk(folder / "disk") as limited:
            found = _stage(folder, limited)
            try:
                for node in found.nodes:
                    node.start()
                yield found
            finally:
                _end(found)


def faked_time() -> str | None:
    """The library that gives a process another time (Debian's ``faketime``); None if it is not there."""
    if which("faketime") is None:
        return None
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    return str(found[0]) if found else None


def moved_clock(file: Path) -> dict[str, str]:
    """The environment of a node whose wall clock is off by the seconds that *file* says."""
    file.write_text("+0")
    return {"PYTHONPATH": str(MOVED), "MOVED_CLOCK": str(file)}


def _moved_database_clock(file: Path) -> dict[str, str]:
    """The same for PostgreSQL; empty where that cannot be."""
    library = faked_time()
    if library is None:
        return {}
    file.write_text("+0")
    file.chmod(0o644)
    return {
        "LD_PRELOAD": library,
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


@contextmanager
def _disk(folder: Path) -> Iterator[bool]:
    """A small file system at *folder*, where this may be mounted; False if it is a folder like others."""
    folder.mkdir()
    if sys.platform != "linux" or os.geteuid() != 0:
        yield False
        return
    mount = ["mount", "-t", "tmpfs", "-o", f"size={ROOM},mode=755", "none", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        yield False
        return
    try:
        yield True
    finally:
        subprocess.run(["umount", "--lazy", folder], check=False)


def _stage(folder: Path, limited: bool) -> Stage:
    # The library by which PostgreSQL knows its time is there from the start, and tells the truth.
    clock = _moved_database_clock(folder / "database-clock")
    postgres = Postgres.new(folder / "disk" / "data", free_port(), environment=clock, logs=folder)
    postgres.start()
    postgres.execute(f"CREATE ROLE {OWNER} LOGIN", f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
    proxies = (Proxy(free_port(), postgres.port), Proxy(free_port(), free_port()))
    for proxy in proxies:
        proxy.start()
    hosts = "&".join(f"host=127.0.0.1:{proxy.port}" for proxy in proxies)
    url = f"postgresql+psycopg://{OWNER}@/{DATABASE}?{hosts}&target_session_attrs=read-write"
    issuer, home = f"http://localhost:{free_port()}", folder / "home"
    home.mkdir()
    deployment = create_site(url, home, issuer=issuer).deployment
    guard = _client(deployment, ClientKind.RESOURCE_SERVER, metadata={"resource": NOTES.identifier})
    machine = _client(
        deployment,
        ClientKind.PREREGISTERED,
        grant_types=("client_credentials",),
        ceilings={NOTES.identifier: ("notes:read",)},
    )
    deployment.stores.database.close()
    redis = RedisServer(free_port(), folder) if PROGRAM else None
    if redis:
        redis.start()
    environment = _environment(url, issuer, home, redis)
    nodes = (
        Node(free_port(), environment, folder / "node-1.log"),
        Node(free_port(), environment, folder / "node-2.log"),
    )
    load = Load(issuer, [node.port for node in nodes], guard, machine)
    return Stage(folder, url, postgres, proxies, nodes, load, redis, limited)


def _environment(url: str, issuer: str, home: Path, redis: RedisServer | None) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("AUTHSERVER_")},
        "AUTHSERVER_HOME": str(home),
        "AUTHSERVER_DATABASE_URL": url,
        "AUTHSERVER_ISSUER": issuer,
        "AUTHSERVER_REDIS_URL": redis.url if redis else "",
        "AUTHSERVER_WORKERS": str(WORKERS),
        **{f"AUTHSERVER_{name}": "100000 per minute" for name in ENOUGH},
    }


def _client(deployment: Deployment, kind: ClientKind, **given) -> Credentials:
    made = Credentials(credential.identifier(), credential.mint(credential.Prefix.CLIENT_SECRET))
    client = Client(
        client_id=made.client_id,
        kind=kind,
        name="Chaos",
        redirect_uris=(),
        auth_method=AuthMethod.SECRET_BASIC,
        grant_types=(),
        created_at=1_700_000_000,
        secret_digest=credential.digest(made.client_secret),
    )
    assert deployment.stores.clients.preregister(replace(client, **given), REGISTERED)
    return made


def _end(found: Stage) -> None:
    for node in found.nodes:
        node.kill()
    for server in (found.postgres, *found.standbys):
        server.stop(signal.SIGKILL)
    if found.redis:
        found.redis.kill()
    for proxy in found.proxies:
        proxy.stop()
