"""Redirect URIs: one policy for registration and authorization alike (CR-6).

A registered URI is ``https``, ``http`` on loopback, or a private-use scheme (RFC 8252 §7). A requested URI must be
one of the registered ones to the letter; only the port of a public client's loopback URI is free (RFC 8252 §7.3).
"""

import re
from ipaddress import IPv4Address, ip_address
from urllib.parse import SplitResult, urlencode, urlsplit, urlunsplit

from .errors import InvalidRedirectURI

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})
DANGEROUS_SCHEMES = frozenset(
    [
        "javascript",
        "data",
        "file",
        "vbscript",
        "blob",
        "about",
        "filesystem",
        "ws",
        "wss",
        "ftp",
        "view-source",
        "jar",
        "mailto",
        "tel",
    ]
)
MOST_URIS = 20
HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?|[0-9a-f:.]+", re.IGNORECASE)  # no %2e: browsers would decode it
# Browsers take a host whose last part is a number for an IPv4 address, such as ``2130706433`` and ``0x7f.1``.
NUMERIC = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?", re.IGNORECASE)
PORT = re.compile(r":\d*$")
MOST_CHARACTERS = 2048
MOST_LABEL = 63  # characters between two dots of a host (RFC 1035 §2.3.4); a response names no other
MOST_HOST = 255  # characters of what `host` makes of it, which grants and consents are found by


def check(uri: object) -> str:
    """*uri* itself if it may be registered.

    Raises `InvalidRedirectURI` with the reason otherwise (OAuth 2.1 §2.3, RFC 9700 §2.1).
    """
    if not isinstance(uri, str) or not uri or len(uri) > MOST_CHARACTERS:
        raise InvalidRedirectURI(f"a redirect URI is a string of 1 to {MOST_CHARACTERS} characters")
    parts = _split(uri)
    if parts.fragment or uri.endswith("#"):
        raise InvalidRedirectURI("a redirect URI has no fragment")
    if "@" in parts.netloc:
        raise InvalidRedirectURI("a redirect URI has no user information")
    if "*" in uri:
        raise InvalidRedirectURI("a redirect URI has no wildcard")
    _check_scheme(parts)
    labels = (parts.hostname or "").removesuffix(".").split(".")
    if parts.hostname and not all(1 <= len(label) <= MOST_LABEL for label in labels):
        raise InvalidRedirectURI(f"each part of a redirect URI's host has 1 to {MOST_LABEL} characters")
    if len(host(uri)) > MOST_HOST:
        raise InvalidRedirectURI(f"scheme and host of a redirect URI have at most {MOST_HOST} characters")
    return uri


def _split(uri: str) -> SplitResult:
    if any(character <= " " or character >= "\x7f" or character in '\\"<>^`{|}' for character in uri):
        raise InvalidRedirectURI("a redirect URI has only the characters of RFC 3986")
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        raise InvalidRedirectURI("a redirect URI must be an absolute URI (RFC 3986)") from None
    return parts


def _check_scheme(parts: SplitResult) -> None:
    if parts.scheme in ("http", "https"):
        if not parts.hostname:
            raise InvalidRedirectURI("an http or https redirect URI has a host")
        if not HOST.fullmatch(parts.hostname) or not _is_as_it_reads(parts.hostname):
            raise InvalidRedirectURI("the host of a redirect URI is a plain name (punycode where need be) or address")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS:
            raise InvalidRedirectURI("http redirect URIs are for 127.0.0.1, [::1] and localhost only; use https")
    elif not parts.scheme:
        raise InvalidRedirectURI("a redirect URI must be absolute, with a scheme")
    elif parts.scheme in DANGEROUS_SCHEMES:
        raise InvalidRedirectURI("this scheme is not allowed for redirect URIs")
    elif "." not in parts.scheme and not parts.netloc:
        raise InvalidRedirectURI("a private-use scheme needs a dot (com.example.app:/cb) or a host (app://host/cb)")


def _is_as_it_reads(host: str) -> bool:
    """Whether an address that *host* is for browsers stands there in plain form, for people to see."""
    if ":" in host or not NUMERIC.fullmatch(host):
        return True
    try:
        return str(IPv4Address(host)) == host
    except ValueError:
        return False


def is_loopback(uri: str) -> bool:
    """Whether *uri* leads to a program on the person's own machine by ``http``."""
    parts = urlsplit(uri)
    return parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS


def is_this_machine(uri: str) -> bool:
    """Whether *uri*, whatever its scheme, has a host that browsers take for the person's own machine."""
    name = (urlsplit(uri).hostname or "").rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_unspecified


def is_private_use(uri: str) -> bool:
    """Whether *uri* has a private-use scheme, which any app on the device may claim (RFC 8252 §8.4)."""
    return urlsplit(uri).scheme not in ("http", "https")


def host(uri: str) -> str:
    """Where the browser will be sent, for people and for grants: ``claude.ai``, ``localhost``, ``cursor://host``."""
    parts = urlsplit(uri)
    if parts.scheme in ("http", "https"):
        return parts.hostname or ""
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"


def find(requested: str, registered: tuple[str, ...], *, public: bool) -> bool:
    """Whether *requested* is one of the *registered* URIs (exact match; the loopback port is free if *public*)."""
    if requested in registered:
        return True
    if not public:
        return False
    try:
        check(requested)
    except InvalidRedirectURI:
        return False
    return is_loopback(requested) and _portless(requested) in {_portless(uri) for uri in registered}


def without_port(uri: str) -> str:
    """*uri*, without its port if it is a loopback one: the port of a public client's is free."""
    return urlunsplit(_portless(uri))


def _portless(uri: str) -> SplitResult:
    parts = urlsplit(uri)
    return parts._replace(netloc=PORT.sub("", parts.netloc)) if is_loopback(uri) else parts


def with_parameters(uri: str, parameters: dict[str, str]) -> str:
    """*uri* with *parameters* added to its query, what it had already kept as it was (RFC 6749 §4.1.2)."""
    parts = urlsplit(uri)
    query = "&".join(filter(None, [parts.query, urlencode(parameters)]))
    return urlunsplit(parts._replace(query=query))
