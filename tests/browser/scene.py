"""A running server with people, an MCP server and apps that ask."""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from authserver.protocol import credential
from authserver.protocol.audit import Event
from authserver.protocol.client import AuthMethod, Client, ClientKind, GrantType
from tests.conformance.site import NOTES, Site, create_site
from tests.ready import is_ready

ROOT = Path(__file__).parents[2]
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWBhsZkEYHnAg"  # RFC 7636 appendix B
EVENT = Event("test.done", "system")
START_SECONDS = 120


@dataclass(frozen=True)
class Scene:
    """``site`` acts on the running server's database from here; ``issuer`` is where it listens."""

    site: Site
    issuer: str

    def app(self, name: str, *redirect_uris: str, kind: ClientKind = ClientKind.DYNAMIC) -> Client:
        """Register an app."""
        client = Client(
            client_id=credential.identifier(),
            kind=kind,
            name=name,
            redirect_uris=redirect_uris,
            auth_method=AuthMethod.NONE,
            grant_types=(GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN),
            created_at=int(time.time()),  # an old one that nobody used would be reaped
        )
        self.site.deployment.stores.clients.register(client, EVENT)
        return client

    def asks(self, client: Client, scope: str = "notes:read", **changes: str) -> str:
        """The URL by which *client* asks for *scope*."""
        request = {
            "response_type": "code",
            "client_id": client.client_id,
            "redirect_uri": client.redirect_uris[0],
            "state": secrets.token_urlsafe(8),
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "resource": NOTES.identifier,
            "scope": scope,
        }
        return f"{self.issuer}/authorize?{urlencode({**request, **changes})}"


@contextmanager
def scene(database_url: str, home: Path, port: int, issuer: str | None = None, **settings: str) -> Iterator[Scene]:
    """Set up the empty database at *database_url* and serve it by gunicorn on *port*, under *issuer* if given.

    *settings* are further ones.
    """
    issuer = issuer or f"http://localhost:{port}"
    site = create_site(database_url, home, issuer=issuer, **settings)
    try:
        with _served(issuer, port, database_url, home, settings):
            yield Scene(site, issuer)
    finally:
        site.deployment.stores.database.close()


@contextmanager
def _served(issuer: str, port: int, database_url: str, home: Path, settings: Mapping[str, str]) -> Iterator[None]:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AUTHSERVER_")},
        "AUTHSERVER_HOME": str(home),
        "AUTHSERVER_DATABASE_URL": database_url,
        "AUTHSERVER_ISSUER": issuer,
        "AUTHSERVER_BIND": f"127.0.0.1:{port}",
        "AUTHSERVER_WORKERS": "1",
        "AUTHSERVER_SIGN_INS_PER_ADDRESS": "10000 per minute",
        "AUTHSERVER_FAILURES_PER_ADDRESS": "10000 per minute",
        "AUTHSERVER_REFRESHES_PER_GRANT": "100000 per minute",
        **{f"AUTHSERVER_{name.upper()}": value for name, value in settings.items()},
    }
    with (home / "serve.log").open("wb") as log, _command(environment, log.fileno()) as process:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(f"http://localhost:{port}", process, home):
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.05)
        yield


@contextmanager
def _command(environment: Mapping[str, str], log: int) -> Iterator[subprocess.Popen[bytes]]:
    command = [str(Path(sys.executable).with_name("authserver")), "serve"]
    process = subprocess.Popen(command, env=dict(environment), cwd=ROOT, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def _answers(address: str, process: subprocess.Popen[bytes], home: Path) -> bool:
    assert process.poll() is None, (home / "serve.log").read_text()[-2000:]
    return is_ready(address)
