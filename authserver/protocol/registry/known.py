"""The entries of ``clients.toml``, typed, read once per process."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from .. import redirect_uri

SEGMENT = r"(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+"  # dot segments lead elsewhere


@dataclass(frozen=True, slots=True)
class Brand:
    """A name that people trust: the ``words`` they know it by, and the ``domains`` that are its own."""

    title: str
    words: tuple[str, ...]
    domains: tuple[str, ...]

    def owns(self, host: str) -> bool:
        """Whether *host* is one of its domains, or below one."""
        return any(host == domain or host.endswith(f".{domain}") for domain in self.domains)


@dataclass(frozen=True, slots=True)
class KnownClient(Brand):
    """A real client, as it was seen; the members are explained in ``clients.toml``."""

    id: str
    vendor: str
    names: tuple[str, ...]
    registers: tuple[str, ...]
    documents: tuple[str, ...]
    redirects: tuple[str, ...]
    relays: tuple[str, ...]
    quirks: tuple[str, ...]
    reset: tuple[str, ...]

    def publishes(self, client_id: str) -> bool:
        """Whether *client_id* is the URL of a metadata document that only its vendor can publish."""
        return any(_fits(client_id, pattern) for pattern in self.documents)

    def sends_to(self, uri: str) -> bool:
        """Whether *uri* is a redirect URI that it was seen to use."""
        return any(_fits(uri, pattern) for pattern in self.redirects)

    def relays_by(self, uri: str) -> bool:
        """Whether *uri* is at one of its sites that hand the code on."""
        return redirect_uri.host(uri).rstrip(".") in {redirect_uri.host(relay) for relay in self.relays}

    @property
    def hosts(self) -> tuple[str, ...]:
        """The https hosts that it has people sent to."""
        web = (uri for uri in self.redirects if uri.startswith("https://"))
        return tuple(dict.fromkeys(redirect_uri.host(uri) for uri in web))

    @property
    def is_local(self) -> bool:
        """Whether it listens on loopback."""
        return any(uri.startswith("http://") for uri in self.redirects)

    @property
    def schemes(self) -> tuple[str, ...]:
        """The private-use schemes that it claims."""
        found = (urlsplit(uri).scheme for uri in self.redirects)
        return tuple(scheme for scheme in found if scheme not in ("http", "https"))


@dataclass(frozen=True, slots=True)
class Registry:
    """All entries. ``version`` counts changes of the file's form, ``seen`` is the day of the last look (ISO 8601)."""

    version: int
    seen: str
    clients: tuple[KnownClient, ...]
    brands: tuple[Brand, ...]

    def relays(self, uri: str) -> bool:
        """Whether *uri* is at a known site that hands the code on to a program on the person's device.

        Whatever its path and query are: with another of them the site may do the same.
        """
        return any(client.relays_by(uri) for client in self.clients)

    def likely(self, client_id: str, uri: str, name: str = "") -> tuple[KnownClient, ...]:
        """Which known clients may have sent a request with these values, which prove nothing: a help for people."""
        exact = [client for client in self.clients if client.publishes(client_id) or uri in client.redirects]
        return tuple(
            exact
            or [client for client in self.clients if client.sends_to(uri)]
            or [client for client in self.clients if name and any(name.startswith(known) for known in client.names)]
        )


@cache
def registry() -> Registry:
    """The registry that came with this version of the server."""
    found = tomllib.loads(files(__package__).joinpath("clients.toml").read_text("utf-8"))
    clients = tuple(KnownClient(**_tuples({"relays": [], **entry})) for entry in found["client"])
    named = tuple(client for client in clients if client.words)
    brands = (*named, *(Brand(**_tuples(entry)) for entry in found["brand"]))
    return Registry(found["version"], str(found["seen"]), clients, brands)


def _tuples(entry: dict[str, Any]) -> dict[str, Any]:
    return {member: tuple(value) if isinstance(value, list) else value for member, value in entry.items()}


def _fits(uri: str, pattern: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", SEGMENT), uri) is not None
