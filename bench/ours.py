"""Our server: ``authserver serve`` with its own settings for workers and threads, on a durable PostgreSQL or SQLite."""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from flask import Flask

from authserver.app import create_app
from authserver.protocol import credential
from authserver.protocol.audit import Event, Origin
from authserver.protocol.client import AuthMethod, Client, ClientKind, GrantType
from authserver.services.deployment import Deployment
from authserver.settings import load
from authserver.store.stores import Stores
from authserver.web import cookies

from .approvals import SCOPES, Approvals
from .contestant import BenchError, Code, Credentials, Refresh, Visitor
from .database import Database, SqliteFile
from .database import database as new_database
from .material import WEB_REDIRECT
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
    issuer: str
    stores: Stores
    environment: Mapping[str, str]
    resource: str
    name: str = "authserver"

    @property
    def port(self) -> int:
        """Where it listens on loopback."""
        return int(self.origin.rpartition(":")[2])

    def codes(self, count: int, client_ids: Sequence[str], *, introspectable: bool = False) -> list[Code]:
        """See `Contestant`. All our access tokens can be introspected."""
        return self.approvals.codes(count, client_ids)

    def introspector(self) -> Credentials:
        """See `Contestant`."""
        return self.credentials

    def machine(self) -> Credentials:
        """See `Contestant`."""
        made = _new_credentials()
        client = Client(
            client_id=made.client_id,
            kind=ClientKind.PREREGISTERED,
            name="bench",
            redirect_uris=(),
            auth_method=AuthMethod.SECRET_POST,
            grant_types=(GrantType.CLIENT_CREDENTIALS,),
            created_at=int(time.time()),
            secret_digest=credential.digest(made.client_secret),
            ceilings={self.resource: SCOPES},
        )
        self.stores.clients.preregister(client, Event("bench.prepared", "system"))
        return made

    def refresh_tokens(self, count: int, client_ids: Sequence[str]) -> list[Refresh]:
        """See `Contestant`."""
        return self.approvals.refresh_tokens(count, client_ids)

    def visitors(self, count: int, client_id: str) -> list[Visitor]:
        """See `Contestant`. Their sessions are opened by an application in this process, which has the same keys."""
        app = application(self.environment)
        found: Deployment = app.extensions["authserver"]
        made = [self._visitor(app, client_id) for _ in range(count)]
        found.stores.database.close()
        return made

    def _visitor(self, app: Flask, client_id: str) -> Visitor:
        device = secrets.token_urlsafe(32)
        person = self.approvals.remembered(client_id, urlsplit(WEB_REDIRECT).hostname or "", device)
        found: Deployment = app.extensions["authserver"]
        browser = app.test_client()
        with browser.session_transaction() as session:
            session["_user_id"] = found.sessions.open(person, Origin("127.0.0.1", "bench"))
        signed = browser.get_cookie(cookies.SESSION)
        return Visitor(f"{cookies.SESSION}={signed.value if signed else ''}; {cookies.DEVICE}={device}")


@contextmanager
def authserver(
    folder: Path,
    database: Database | SqliteFile,
    resource: str,
    *,
    public: int | None = None,
    more: Mapping[str, str] | None = None,
    module: str = "",
) -> Iterator[Ours]:
    """Run the server, with its home in *folder*, until the block ends; its issuer is at *public*, or its own port.

    *more* is added to its environment; a *module* is what serves in place of the command.
    """
    port = free_port()
    environment = {**environment_of(folder, database, port, public), **(more or {})}
    log = folder / "authserver.log"
    with prepared(folder, database, resource, port=port, public=public) as found:
        credentials = _introspector(found, resource)
        command = [sys.executable, "-m", module] if module else [COMMAND, "serve"]
        with running(command, log, ready=lambda: answers(port), environment=environment) as process:
            approvals = Approvals(found.stores, resource)
            origin, roots = f"http://127.0.0.1:{port}", (process.pid, *database.roots)
            yield Ours(
                origin,
                roots,
                approvals,
                credentials,
                found.settings.issuer,
                found.stores,
                environment,
                resource,
                module or "authserver",
            )


@contextmanager
def deployed(resource: str, more: Mapping[str, str] | None = None) -> Iterator[tuple[Ours, Database, Path]]:
    """Run the server, as `authserver` does, over a PostgreSQL of its own; its database, and the folder of both."""
    with TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL is another user's
        home = folder / "home"
        home.mkdir()
        with new_database(folder) as postgresql, authserver(home, postgresql, resource, more=more) as found:
            yield found, postgresql, folder


@contextmanager
def prepared(
    folder: Path, database: Database | SqliteFile, resource: str, *, port: int, public: int | None = None
) -> Iterator[Deployment]:
    """Set the empty *database* up, with an MCP server at *resource*; the deployment as this process sees it."""
    environment = environment_of(folder, database, port, public)
    set_up(environment, resource)
    found: Deployment = application(environment).extensions["authserver"]
    yield found
    found.stores.database.close()


def set_up(environment: Mapping[str, str], resource: str) -> None:
    """Set the empty database of *environment* up, with an MCP server at *resource*."""
    _run(environment, "init")
    scopes = [part for name in SCOPES for part in ("--scope", f"{name}=Work with notes")]
    _run(environment, "resource", "add", resource, "--name", "Notes", *scopes, "--default", SCOPES[0])


def application(environment: Mapping[str, str]) -> Flask:
    """The server of *environment* in this process."""
    os.environ.update(environment)
    return create_app(load())


def environment_of(
    folder: Path, database: Database | SqliteFile, port: int, public: int | None = None
) -> dict[str, str]:
    """The environment of a server at *port* whose home is *folder*, and whose issuer is at *public*, or *port*."""
    return {
        **os.environ,
        "AUTHSERVER_BIND": f"127.0.0.1:{port}",
        "AUTHSERVER_DATABASE_URL": database.url,
        "AUTHSERVER_HOME": str(folder),
        "AUTHSERVER_ISSUER": f"http://localhost:{public or port}",
        "AUTHSERVER_REGISTRATIONS_PER_ADDRESS": UNLIMITED,
        "AUTHSERVER_REGISTRATION_FLOOD_PER_ADDRESS": UNLIMITED,
        "AUTHSERVER_OWN_TOKENS_PER_CLIENT": UNLIMITED,
        "AUTHSERVER_REFRESHES_PER_GRANT": UNLIMITED,
        "AUTHSERVER_CALLS_PER_CLIENT": UNLIMITED,
        "AUTHSERVER_API_CALLS_PER_CLIENT": UNLIMITED,
        "AUTHSERVER_FAILURES_PER_ADDRESS": UNLIMITED,
        "AUTHSERVER_PAGES_PER_PERSON": UNLIMITED,
        "AUTHSERVER_PAGES_PER_ADDRESS": UNLIMITED,
        "AUTHSERVER_MOST_UNUSED_REGISTRATIONS": "1000000000",
    }


def _run(environment: Mapping[str, str], *arguments: str) -> None:
    command = [COMMAND, *arguments]
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if finished.returncode:
        raise BenchError(f"authserver {arguments[0]}: {finished.stdout}{finished.stderr}")


def _introspector(found: Deployment, resource: str) -> Credentials:
    """A guard with a secret, as the peer's has one."""
    made = _new_credentials()
    client = Client(
        client_id=made.client_id,
        kind=ClientKind.RESOURCE_SERVER,
        name="bench",
        redirect_uris=(),
        auth_method=AuthMethod.SECRET_BASIC,
        grant_types=(),
        created_at=int(time.time()),
        secret_digest=credential.digest(made.client_secret),
        metadata={"resource": resource},
    )
    found.stores.clients.register(client, Event("bench.prepared", "system"))
    return made


def _new_credentials() -> Credentials:
    return Credentials(credential.identifier(), credential.mint(credential.Prefix.CLIENT_SECRET))
