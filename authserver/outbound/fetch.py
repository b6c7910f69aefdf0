"""The one way to get a document from a URL that a stranger supplied (CR-8; CIMD draft §6.5).

1. read the URL strictly, 2. take a slot, 3. resolve once, 4. judge every address, 5. connect to a judged one,
6. read at most so many bytes of an answer of the right kind. One deadline covers all of it.
"""

import re
import ssl
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache

from httpcore2 import (
    URL,
    ConnectError,
    HTTP11Connection,
    NetworkError,
    Origin,
    ProtocolError,
    Request,
    Response,
    TimeoutException,
)

from ..protocol.trace_parent import outgoing
from .addresses import AddressPolicy, IPAddress
from .connection import Way
from .deadline import Deadline
from .refusal import FetchRefused, Refusal
from .resolution import Resolution, Resolver, system_resolver
from .slots import Slots
from .urls import Target, check_client_url

__all__ = ["FetchRefused", "Fetched", "Refusal", "SafeFetch", "trusting"]

HEAD_BYTES = 64 * 1024  # certificates and headers
JSON = "application/json"
JSON_SUFFIX = re.compile(r"application/[a-z0-9!#$&^_.+-]+\+json")
# A name server that does not answer holds a thread far longer than a fetch may take: some 30 seconds.
RESOLUTIONS_PER_FETCH = 8
VALIDATOR = re.compile(r"[!-~]([ -~]{0,254}[!-~])?")
REDIRECTS = frozenset({300, 301, 302, 303, 305, 307, 308})


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer: status 200 with its body, or 304 without. Header names are lower-case, repeated ones joined."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@lru_cache(maxsize=4)
def trusting(ca_file: str = "") -> ssl.SSLContext:
    """The system's certification authorities, and those of *ca_file* (PEM) if given: read once, which takes long."""
    context = ssl.create_default_context()
    if ca_file:
        context.load_verify_locations(ca_file)
    context.set_alpn_protocols(["http/1.1"])
    return context


class SafeFetch:
    """Gets documents from where *policy* lets it, at most *concurrent* at once and *per_host* from one host.

    ``proxy`` is ``http://host:port`` of an egress proxy, which is asked for addresses and never for names. ``trust``
    says whose certificates count. A body has at most *most_bytes*; a fetch takes at most *seconds* in all.
    """

    def __init__(  # noqa: PLR0913 - each has its own default; only the policy must be thought about
        self,
        policy: AddressPolicy,
        *,
        proxy: str = "",
        trust: ssl.SSLContext | None = None,
        most_bytes: int = 5 * 1024,
        seconds: float = 5.0,
        concurrent: int = 4,
        per_host: int = 2,
        resolver: Resolver = system_resolver,
    ) -> None:
        self._policy = policy
        self._proxy = URL(proxy) if proxy else None
        self._trust = trust or trusting()
        self._most_bytes = most_bytes
        self._seconds = seconds
        self._slots = Slots(concurrent, per_host)
        self._resolution = Resolution(resolver, concurrent * RESOLUTIONS_PER_FETCH)

    def get(
        self, url: str, *, types: tuple[str, ...] = (JSON,), etag: str | None = None, last_modified: str | None = None
    ) -> Fetched:
        """The document at *url*, of one of the media *types*. Raises `FetchRefused`.

        ``application/json`` among the types takes ``application/….+json`` too. With the *etag* or *last_modified* of
        a former answer the status may be 304 (RFC 9110 §13.1).
        """
        target = check_client_url(url, self._policy)
        conditions = _conditions(etag, last_modified)
        with self._slots.one(target.host):
            return self._get(
                target, [*_headers(target, types), *conditions, *outgoing()], types, conditional=bool(conditions)
            )

    def _get(
        self, target: Target, headers: list[tuple[str, str]], types: tuple[str, ...], *, conditional: bool
    ) -> Fetched:
        deadline = Deadline(self._seconds)
        way = self._way(target, self._judged(target, deadline), deadline)
        try:
            stream = way.open().start_tls(self._trust, target.host)
            with closing(HTTP11Connection(_origin(target), stream)) as connection:
                return self._read(connection.handle_request(_request(target, headers)), types, conditional=conditional)
        except TimeoutException:
            raise FetchRefused(Refusal.TIMEOUT) from None
        except (NetworkError, ProtocolError) as failed:
            raise FetchRefused(reason(failed)) from None

    def _judged(self, target: Target, deadline: Deadline) -> list[IPAddress]:
        """Every address of *target*, if every one is allowed.

        One that is not refuses the host: a name that leads both outside and inside is how rebinding looks, and no
        honest host needs it.
        """
        found = [target.address] if target.address else self._resolution.addresses(target.host, deadline)
        for address in found:
            self._policy.check_address(target.host, target.port, address)
        return found

    def _way(self, target: Target, addresses: list[IPAddress], deadline: Deadline) -> Way:
        most = HEAD_BYTES + 2 * self._most_bytes
        if not self._proxy:
            return Way(addresses, target.port, deadline, most)
        at = self._resolution.addresses(self._proxy.host.decode(), deadline)
        return Way(addresses, target.port, deadline, most, Way(at, self._proxy.port or 80, deadline, most))

    def _read(self, answer: Response, types: tuple[str, ...], *, conditional: bool) -> Fetched:
        headers = joined(answer.headers)
        if answer.status == 304 and conditional:
            return Fetched(304, headers, b"")
        if answer.status in REDIRECTS:
            raise FetchRefused(Refusal.REDIRECT)
        if answer.status != 200:
            raise FetchRefused(Refusal.STATUS)
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise FetchRefused(Refusal.ENCODING)
        if not _is_of(types, headers.get("content-type", "")):
            raise FetchRefused(Refusal.TYPE)
        if int(headers.get("content-length", "0")) > self._most_bytes:
            raise FetchRefused(Refusal.SIZE)
        return Fetched(200, headers, self._body(answer))

    def _body(self, answer: Response) -> bytes:
        body = b""
        for part in answer.iter_stream():
            body += part
            if len(body) > self._most_bytes:
                raise FetchRefused(Refusal.SIZE)
        return body


def _origin(target: Target) -> Origin:
    return Origin(b"https", target.host.encode(), target.port)


def _request(target: Target, headers: list[tuple[str, str]]) -> Request:
    url = URL(scheme=b"https", host=target.host.encode(), port=target.port, target=target.target.encode())
    return Request("GET", url, headers=headers)


def _headers(target: Target, types: tuple[str, ...]) -> list[tuple[str, str]]:
    return [
        ("Host", target.authority),
        ("Accept", ", ".join([*types, "*/*;q=0.1"])),
        ("Accept-Encoding", "identity"),
        ("Connection", "close"),
        ("User-Agent", "mcp-authserver"),
    ]


def _conditions(etag: str | None, last_modified: str | None) -> list[tuple[str, str]]:
    """What was said before by the same host may be unfit to be said back: then the document is got anew."""
    said = (("If-None-Match", etag), ("If-Modified-Since", last_modified))
    return [(name, value) for name, value in said if value and VALIDATOR.fullmatch(value)]


def joined(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """One value for each name of a header (RFC 9110 §5.2); names in lower case."""
    found: dict[str, str] = {}
    for name, value in headers:
        key, text = name.decode("ascii").lower(), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def _is_of(types: tuple[str, ...], content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type in types or (JSON in types and bool(JSON_SUFFIX.fullmatch(media_type)))


def reason(failed: Exception) -> Refusal:
    """Why it *failed*, in a word."""
    of_tls = isinstance(failed, ConnectError) and isinstance(failed.__cause__, ssl.SSLError)
    return Refusal.TLS if of_tls else Refusal.CONNECTION
