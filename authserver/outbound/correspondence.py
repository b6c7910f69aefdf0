"""An exchange of messages with one server that an administrator entered: bounded as a whole, and never sent on.

The same rules as `fetch`, but for messages that are sent and for answers that stream; https, or http on loopback.
"""

import ssl
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from ipaddress import ip_network

from httpcore2 import URL, HTTP11Connection, NetworkError, Origin, ProtocolError, Request, Response, TimeoutException

from ..protocol.trace_parent import outgoing
from .addresses import Entered, IPNetwork, Pins
from .connection import Way
from .deadline import Deadline
from .fetch import HEAD_BYTES, REDIRECTS, joined, reason
from .refusal import FetchRefused, Refusal
from .resolution import Resolution, system_resolver
from .urls import Target, parse

LOOPBACK: tuple[IPNetwork, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
NAMES_AT_ONCE = 8
STREAM = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Message:
    """An answer of whatever status, but no redirect. Header names are lower-case, repeated ones joined."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """The content type without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Correspondence:
    """Sends messages to *url* and nowhere else: *most_bytes* of answers and *seconds* for all of them together.

    ``networks`` and ``proxy`` as in `EnteredFetch`. Raises `FetchRefused` for a URL that may not be asked.
    """

    def __init__(
        self, url: str, networks: Pins, *, proxy: str, trust: ssl.SSLContext, most_bytes: int, seconds: float
    ) -> None:
        self._secure = not url.startswith("http://")
        self._target = _target(url, secure=self._secure)
        here = self._target.host, self._target.port
        self._policy = Entered(*here, networks.get(here, ()) if self._secure else LOOPBACK)
        self._proxy = URL(proxy) if proxy and self._secure else None
        self._trust = trust
        self._left = most_bytes
        self._deadline = Deadline(seconds)
        self._resolution = Resolution(system_resolver, NAMES_AT_ONCE)

    def send(
        self, method: str, headers: Mapping[str, str], body: bytes, enough: Callable[[bytes], bool] = lambda _: False
    ) -> Message:
        """The answer to one request. A stream of events is handed to *enough*, piece by piece, until that says so.

        Raises `FetchRefused`.
        """
        try:
            stream = self._way().open()
            if self._secure:
                stream = stream.start_tls(self._trust, self._target.host)
            with closing(HTTP11Connection(self._origin, stream)) as connection:
                return self._read(connection.handle_request(self._request(method, headers, body)), enough)
        except TimeoutException:
            raise FetchRefused(Refusal.TIMEOUT) from None
        except (NetworkError, ProtocolError) as failed:
            raise FetchRefused(reason(failed)) from None

    @property
    def _origin(self) -> Origin:
        return Origin(b"https" if self._secure else b"http", self._target.host.encode(), self._target.port)

    def _way(self) -> Way:
        most = HEAD_BYTES + 2 * self._left
        target, deadline = self._target, self._deadline
        self._policy.check_host(target.host, target.port)
        found = [target.address] if target.address else self._resolution.addresses(target.host, deadline)
        for address in found:
            self._policy.check_address(target.host, target.port, address)
        if not self._proxy:
            return Way(found, target.port, deadline, most)
        at = self._resolution.addresses(self._proxy.host.decode(), deadline)
        return Way(found, target.port, deadline, most, Way(at, self._proxy.port or 80, deadline, most))

    def _request(self, method: str, headers: Mapping[str, str], body: bytes) -> Request:
        origin = self._origin
        url = URL(scheme=origin.scheme, host=origin.host, port=origin.port, target=self._target.target.encode())
        usual = {
            "Host": self._target.authority if self._secure else self._target.authority_at(80),
            "User-Agent": "mcp-authserver",
            "Accept-Encoding": "identity",
            "Connection": "close",
            "Content-Length": str(len(body)),
        }
        return Request(method, url, headers=[*usual.items(), *outgoing(), *headers.items()], content=body)

    def _read(self, answer: Response, enough: Callable[[bytes], bool]) -> Message:
        headers = joined(answer.headers)
        if answer.status in REDIRECTS:
            raise FetchRefused(Refusal.REDIRECT)
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise FetchRefused(Refusal.ENCODING)
        message = Message(answer.status, headers, b"")
        streams, parts = message.media_type == STREAM, []
        for part in answer.iter_stream():
            parts.append(part)
            self._left -= len(part)
            if self._left < 0:
                raise FetchRefused(Refusal.SIZE)
            if streams and enough(part):
                break
        return Message(answer.status, headers, b"".join(parts))


def _target(url: str, *, secure: bool) -> Target:
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    if not secure and not host.rpartition("]")[2].partition(":")[1]:
        host = f"{host}:80"
    found = parse(f"{'https' if scheme == 'http' else scheme}://{host}/{path if slash else ''}")
    if not secure and found.host not in LOOPBACK_NAMES:
        raise FetchRefused(Refusal.SCHEME)
    return found
