"""Requests to a server that an administrator named: bounded, and never sent on by a redirect.

Not for what strangers supply: that is `fetch`.
"""

import json
import ssl
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any, Self

from cryptography import x509
from httpcore2 import URL, HTTP11Connection, NetworkError, Origin, ProtocolError, Request, Response, TimeoutException

from ..protocol.msg import Filled, msg
from .addresses import Entered, IPAddress, Pins
from .connection import Way
from .deadline import Deadline
from .refusal import FetchRefused, Refusal
from .resolution import Resolution, system_resolver

HEAD_BYTES = 128 * 1024
MOST_BYTES = 256 * 1024
NAMES_AT_ONCE = 8
Pairs = tuple[tuple[str, str], ...]
NO_TLS = msg("what answers there does not speak TLS as it should")
BROKEN = msg("the connection broke off")
NO_HTTP = msg("what answers there does not speak HTTP as it should")
WORDS = {
    Refusal.ADDRESS: Filled(msg("it is in a private network, which is asked only if fetch_entered_networks names it")),
    Refusal.CONNECTION: Filled(msg("nothing answers there: the connection was refused, or the host cannot be reached")),
    Refusal.RESOLUTION: Filled(msg("the host name is not known")),
    Refusal.SIZE: Filled(msg("the answer is too large")),
    Refusal.TIMEOUT: Filled(msg("there was no whole answer in time")),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; ``status`` 0 and a ``problem`` in words if nothing did. Header names are lower-case."""

    url: str
    status: int = 0
    headers: Pairs = ()
    body: bytes = b""
    whole: bool = True
    certificate_ends: datetime | None = None
    problem: str = ""
    untrusted: bool = False

    def header(self, name: str) -> str:
        """The values of a header, joined as RFC 9110 §5.2 has it; empty if it is not there."""
        return ", ".join(self.all(name))

    def all(self, name: str) -> list[str]:
        """Each value of a header."""
        return [value for other, value in self.headers if other == name.lower()]

    @property
    def media_type(self) -> str:
        """The content type without its parameters."""
        return self.header("content-type").partition(";")[0].strip().lower()

    def json(self) -> dict[str, Any] | None:
        """The JSON object of the body; None if it is none."""
        try:
            found = json.loads(self.body) if self.whole else None
        except (ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None


@dataclass(frozen=True, slots=True)
class Probe:
    """Asks one thing at a time: each within *seconds*, all together within *deadline*.

    *networks* are the private ones that may be reached, by host and port (`addresses.Entered`); None for whoever has a
    shell on this machine, and could ask any address there is without us. ``proxy`` is ``http://host:port`` of an egress
    proxy, by which what is https is asked.
    """

    trust: ssl.SSLContext
    deadline: Deadline
    seconds: float = 8.0
    networks: Pins | None = None
    proxy: str = ""
    resolution: Resolution = field(default_factory=lambda: Resolution(system_resolver, NAMES_AT_ONCE))

    def distrusting(self) -> Self:
        """The same, which takes any certificate: to look at the rest once the certificate is known to be wrong."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return replace(self, trust=context)

    def ask(self, method: str, url: str, headers: Iterable[tuple[str, str]] = (), body: bytes = b"") -> Answer:
        """One request; *headers* may name another Host than *url*. What goes wrong is told in the answer."""
        try:
            return self._ask(method, url, tuple(headers), body)
        except FetchRefused as refused:
            return Answer(url, problem=WORDS.get(refused.reason, str(refused)))
        except TimeoutException:
            return Answer(url, problem=WORDS[Refusal.TIMEOUT])
        except NetworkError as failed:
            return _unreached(url, failed)
        except (ProtocolError, UnicodeError, ValueError):
            return Answer(url, problem=Filled(NO_HTTP))

    def _ask(self, method: str, url: str, headers: Pairs, body: bytes) -> Answer:
        where = URL(url)
        origin = where.origin
        deadline = Deadline(min(self.seconds, self.deadline.left()))
        host = origin.host.decode("ascii").strip("[]")
        asked = Request(method, where, headers=_headers(origin, headers, body), content=body)
        addresses = self._addresses(host, origin.port, deadline)
        through = self._through(deadline) if origin.scheme == b"https" else None
        stream = Way(addresses, origin.port, deadline, HEAD_BYTES + MOST_BYTES, through).open()
        if origin.scheme == b"https":
            stream = stream.start_tls(self.trust, host)
        with closing(HTTP11Connection(origin, stream)) as connection:
            return _answer(url, connection.handle_request(asked))

    def _through(self, deadline: Deadline) -> Way | None:
        if not self.proxy:
            return None
        where = URL(self.proxy)
        at = self.resolution.addresses(where.host.decode(), deadline)
        return Way(at, where.port or 80, deadline, HEAD_BYTES + MOST_BYTES)

    def _addresses(self, host: str, port: int, deadline: Deadline) -> list[IPAddress]:
        try:
            found: list[IPAddress] = [ip_address(host)]
        except ValueError:
            found = self.resolution.addresses(host, deadline)
        if self.networks is not None:
            entered = Entered(host, port, self.networks.get((host, port), ()))
            for address in found:
                entered.check_address(host, port, address)
        return found


def _headers(origin: Origin, given: Pairs, body: bytes) -> list[tuple[str, str]]:
    usual_port = {b"http": 80, b"https": 443}.get(origin.scheme) == origin.port
    host = origin.host.decode("ascii").strip("[]")
    name = f"[{host}]" if ":" in host else host
    authority = name if usual_port else f"{name}:{origin.port}"
    usual = {"Host": authority, "User-Agent": "mcp-authserver-doctor", "Accept": "*/*", "Accept-Encoding": "identity"}
    named = {name.lower() for name, _ in given}
    headers = [(name, value) for name, value in usual.items() if name.lower() not in named]
    return [*headers, *given, ("Connection", "close"), *([("Content-Length", str(len(body)))] if body else [])]


def _answer(url: str, response: Response) -> Answer:
    encrypted = response.extensions["network_stream"].get_extra_info("ssl_object")
    certificate = encrypted.getpeercert(True) if encrypted else None
    body = b""
    for part in response.iter_stream():
        body += part
        if len(body) > MOST_BYTES:
            break
    return Answer(
        url,
        response.status,
        tuple((name.decode("ascii").lower(), value.decode("latin-1")) for name, value in response.headers),
        body[:MOST_BYTES],
        len(body) <= MOST_BYTES,
        _end(certificate),
    )


def _end(certificate: bytes | None) -> datetime | None:
    if certificate is None:
        return None
    try:
        return x509.load_der_x509_certificate(certificate).not_valid_after_utc.astimezone(UTC)
    except ValueError:
        return None


def _unreached(url: str, failed: NetworkError) -> Answer:
    cause: BaseException | None = failed
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__ or cause.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return Answer(url, problem=cause.verify_message, untrusted=True)
    if cause is not None:
        return Answer(url, problem=Filled(NO_TLS))
    return Answer(url, problem=Filled(BROKEN))
