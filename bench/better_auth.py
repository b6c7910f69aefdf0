"""A peer on SQLite: npm's better-auth with its OAuth provider, on Node.js (``better-auth/``)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import oidc_provider
from .contestant import Code, ForFewMeasures
from .http import Caller
from .nodejs import install, node, version_of
from .process import answers, free_port, running

FOLDER = Path(__file__).with_name("better-auth")


@dataclass(frozen=True, slots=True)
class BetterAuth(ForFewMeasures):
    """A running better-auth; its ``/bench/codes`` makes codes through its own adapter."""

    origin: str
    roots: tuple[int, ...]
    name: str = "better-auth"

    def codes(self, count: int, client_ids: Sequence[str], *, introspectable: bool = False) -> list[Code]:
        """See `Contestant`."""
        with Caller(self.origin) as caller:
            made = caller.post_json("/bench/codes", {"count": count, "clientIds": [*client_ids]})
        return [Code(**code) for code in made]


@contextmanager
def better_auth(folder: Path, resource: str) -> Iterator[BetterAuth]:
    """Run the peer, with its database and log in *folder*, until the block ends; installs what is missing."""
    for packages in (oidc_provider.FOLDER, FOLDER):  # the first has Node.js
        install(packages)
    port = free_port()
    command = [str(node()), str(FOLDER / "server.mjs"), str(port), resource, str(folder / "better-auth.sqlite3")]
    with running(command, folder / "better-auth.log", ready=lambda: answers(port)) as process:
        yield BetterAuth(f"http://127.0.0.1:{port}", (process.pid,))


def versions() -> dict[str, str]:
    """The peer's version; nothing as long as it is not installed."""
    found = version_of(FOLDER, "better-auth")
    return {"better-auth": found} if found else {}
