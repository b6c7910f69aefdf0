"""Which redirect hosts a deployment lets clients register (CR-2), and still sends people to (CR-6)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from .. import redirect_uri
from ..errors import RedirectHostNotAllowed

LOOPBACK = "localhost"
ENTRY = re.compile(
    r"(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:[0-9]{1,5})?"  # claude.ai, *.example.com, example.com:8443
    r"|\[[0-9a-f:.]+\](:[0-9]{1,5})?"
    r"|[a-z][a-z0-9+.-]*:"  # cursor:
)


@dataclass(frozen=True, slots=True)
class RedirectHosts:
    """The allow-list; without an entry it allows every redirect URI that may be registered at all.

    An entry is a host (``claude.ai``; its https port 443, unless it names another: ``example.com:8443``),
    ``*.example.com`` for all hosts below that one, but not for itself, ``localhost`` for every loopback address and
    port, or the scheme of an app with its colon (``cursor:``).
    """

    entries: tuple[str, ...] = ()

    def check(self, uris: Iterable[str]) -> None:
        """Raises `RedirectHostNotAllowed` for the first of *uris* that leads elsewhere."""
        for position, uri in enumerate(uris):
            if not self.allows(uri):
                place = redirect_uri.host(uri)
                raise RedirectHostNotAllowed(f"redirect_uris[{position}]: this server lets no client register {place}")

    def allows(self, uri: str) -> bool:
        """Whether people may be sent to *uri*, which `redirect_uri.check` has seen."""
        if not self.entries:
            return True
        place = _place(uri)
        return any(place == entry or (entry[0] == "*" and place.endswith(entry[1:])) for entry in self.entries)


def check_entry(entry: str) -> str:
    """*entry* in lower case. Raises ValueError in words for what is none."""
    lower = entry.lower()
    if not ENTRY.fullmatch(lower):
        raise ValueError(f"{entry!r} is not a host, *.host, localhost, or a scheme with its colon")
    return lower


def _place(uri: str) -> str:
    """What of *uri* the entries are compared with."""
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https"):
        return f"{parts.scheme}:"
    host = parts.hostname or ""
    if host in redirect_uri.LOOPBACK_HOSTS:
        return LOOPBACK
    named = f"[{host}]" if ":" in host else host
    return named if parts.port in (None, 443) else f"{named}:{parts.port}"
