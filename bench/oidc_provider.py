"""The peer: npm's oidc-provider on Node.js, everything in the memory of one process (``peer/``)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .contestant import Code, Credentials, Refresh, Visitor
from .http import Caller
from .nodejs import install, node, version, version_of
from .process import answers, free_port, running

FOLDER = Path(__file__).with_name("peer")
CONFIDENTIAL_CLIENT = {
    "client_name": "Bench resource server",
    "redirect_uris": [],
    "grant_types": [],
    "response_types": [],
    "token_endpoint_auth_method": "client_secret_basic",
}

FOR_ITSELF = {"grant_types": ["client_credentials"], "token_endpoint_auth_method": "client_secret_post"}


@dataclass(frozen=True, slots=True)
class OidcProvider:
    """A running oidc-provider; its ``/bench/codes`` makes codes through its own models."""

    origin: str
    roots: tuple[int, ...]
    name: str = "oidc-provider"

    def codes(self, count: int, client_ids: Sequence[str], *, introspectable: bool = False) -> list[Code]:
        """See `Contestant`. The peer refuses to introspect JWTs, so *introspectable* tokens are opaque ones."""
        form = "opaque" if introspectable else "jwt"
        with Caller(self.origin) as caller:
            made = caller.post_json("/bench/codes", {"count": count, "clientIds": [*client_ids], "form": form})
        return [Code(**code) for code in made]

    def introspector(self) -> Credentials:
        """See `Contestant`."""
        with Caller(self.origin) as caller:
            made = caller.post_json("/register", CONFIDENTIAL_CLIENT)
        return Credentials(made["client_id"], made["client_secret"])

    def machine(self) -> Credentials:
        """See `Contestant`."""
        with Caller(self.origin) as caller:
            made = caller.post_json("/register", {**CONFIDENTIAL_CLIENT, **FOR_ITSELF})
        return Credentials(made["client_id"], made["client_secret"])

    def refresh_tokens(self, count: int, client_ids: Sequence[str]) -> list[Refresh]:
        """See `Contestant`."""
        with Caller(self.origin) as caller:
            made = caller.post_json("/bench/refresh-tokens", {"count": count, "clientIds": [*client_ids]})
        return [Refresh(**each) for each in made]

    def visitors(self, count: int, client_id: str) -> list[Visitor]:
        """See `Contestant`."""
        with Caller(self.origin) as caller:
            return [Visitor(**caller.post_json("/bench/visitor", {"clientId": client_id})) for _ in range(count)]


@contextmanager
def oidc_provider(folder: Path, resource: str) -> Iterator[OidcProvider]:
    """Run the peer, with its log in *folder*, until the block ends; installs its packages when they are missing."""
    install(FOLDER)
    port = free_port()
    command = [str(node()), str(FOLDER / "server.mjs"), str(port), resource]
    with running(command, folder / "peer.log", ready=lambda: answers(port)) as process:
        yield OidcProvider(f"http://127.0.0.1:{port}", (process.pid,))


def versions() -> dict[str, str]:
    """The peer's versions, by name; nothing as long as it is not installed."""
    found = version_of(FOLDER, "oidc-provider")
    return {"node": version(node()), "oidc-provider": found} if found else {}
