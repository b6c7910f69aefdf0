"""URLs that strangers supply, read by one strict grammar (CR-8; CIMD draft §3).

No parser is asked what the URL might mean: what the grammar does not cover is refused, so that nobody behind us can
read another host out of it.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from .addresses import HTTPS_PORT, AddressPolicy, ClientSupplied
from .refusal import FetchRefused, Refusal

MOST_CHARACTERS = 2048
MOST_HOST_CHARACTERS = 253

LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
NAME = re.compile(rf"{LABEL}(?:\.{LABEL})*")
CHARACTER = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})"
URL = re.compile(
    r"https://(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::(?P<port>[1-9][0-9]{0,4}))?"
    rf"(?P<target>(?P<path>/{CHARACTER}*)(?:\?(?:{CHARACTER}|\?)*)?)"
)
DOT_SEGMENT = re.compile(r"/(?:\.|%2[Ee]){1,2}(?:/|$)")
# What other parsers take for an IPv4 address, as its last part is a number: ``127.1``, ``0x7f.1``, ``017700000001``.
NUMERIC = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9A-Fa-f]*)")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads: a host in lower case (a name, or an address without brackets), a port, path and query."""

    host: str
    port: int
    target: str
    address: IPv4Address | IPv6Address | None = None

    @property
    def authority(self) -> str:
        """The ``Host`` header."""
        return self.authority_at(HTTPS_PORT)

    def authority_at(self, usual_port: int) -> str:
        """The ``Host`` header of a scheme with that port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == usual_port else f"{host}:{self.port}"


def check_client_url(url: str, policy: AddressPolicy | None = None) -> Target:
    """Where *url* leads, if a stranger may name it: in words, without asking anybody.

    Without a *policy* it is judged by that for strangers, without exceptions. Raises `FetchRefused`.
    """
    target = parse(url)
    (policy or ClientSupplied()).check_host(target.host, target.port)
    if target.address:
        (policy or ClientSupplied()).check_address(target.host, target.port, target.address)
    return target


def check_client_id(url: str, policy: AddressPolicy | None = None) -> Target:
    """`check_client_url`, for a URL that is a client's id: it has a path besides ``/`` (CIMD draft §3)."""
    target = check_client_url(url, policy)
    if target.target.partition("?")[0] == "/":
        raise FetchRefused(Refusal.URL, "a client's URL needs a path after the host")
    return target


def parse(url: str) -> Target:
    """The parts of *url*. Raises `FetchRefused` if it is not an https URL in plain form."""
    if len(url) > MOST_CHARACTERS:
        raise FetchRefused(Refusal.URL, f"the URL is longer than {MOST_CHARACTERS} characters")
    if not url.startswith("https://"):
        raise FetchRefused(Refusal.SCHEME)
    found = URL.fullmatch(url)
    if not found:
        raise FetchRefused(Refusal.URL, _what_is_wrong(url))
    if DOT_SEGMENT.search(found["path"]):
        raise FetchRefused(Refusal.URL, "the URL may have no '.' or '..' segments")
    host, address = _host(found["host"].lower())
    port = int(found["port"] or HTTPS_PORT)
    if port > 65_535:
        raise FetchRefused(Refusal.URL, "the URL's port is not a port")
    return Target(host, port, found["target"], address)


def _what_is_wrong(url: str) -> str:
    rest = url.removeprefix("https://")
    if "#" in rest:
        return "the URL may have no fragment"
    if "@" in rest.partition("/")[0]:
        return "the URL may have no user name or password"
    if "/" not in rest:
        return "the URL needs a path after the host"
    return "the URL may have only plain host names, and only the characters of RFC 3986"


def _host(host: str) -> tuple[str, IPv4Address | IPv6Address | None]:
    if host.startswith("["):
        return _literal(host[1:-1], IPv6Address)
    if NUMERIC.fullmatch(host):
        return _literal(host, IPv4Address)
    if len(host) > MOST_HOST_CHARACTERS or not NAME.fullmatch(host):
        raise FetchRefused(Refusal.URL, "the URL's host is not a host name in plain form")
    return host, None


def _literal(text: str, kind: type[IPv4Address | IPv6Address]) -> tuple[str, IPv4Address | IPv6Address]:
    try:
        address = kind(text)
    except ValueError:
        raise FetchRefused(Refusal.URL, "the URL's host is not an IP address in plain form") from None
    return str(address), address
