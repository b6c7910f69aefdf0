"""Sockets to addresses that were judged: nothing here knows a name to resolve.

httpcore2 speaks HTTP and TLS over what these backends hand out; the name goes only into SNI, the certificate check
and the ``Host`` header.
"""

import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from httpcore2 import (
    SOCKET_OPTION,
    URL,
    HTTPConnection,
    NetworkBackend,
    NetworkError,
    NetworkStream,
    Origin,
    Request,
    SyncBackend,
    TimeoutException,
)

from .addresses import IPAddress
from .deadline import Deadline
from .refusal import FetchRefused, Refusal

MOST_ATTEMPTS = 4


class BoundedStream(NetworkStream):
    """A stream that ends at a deadline, and gives no more than so many bytes."""

    def __init__(self, stream: NetworkStream, deadline: Deadline, most_bytes: int) -> None:
        self._stream = stream
        self._deadline = deadline
        self._left = most_bytes

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What has come. Raises `FetchRefused` at the deadline, or when too much came."""
        if self._left <= 0:
            raise FetchRefused(Refusal.SIZE)
        data = self._stream.read(min(max_bytes, self._left), self._deadline.left())
        self._left -= len(data)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send *buffer*."""
        self._stream.write(buffer, self._deadline.left())

    def close(self) -> None:
        """Close the socket."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> NetworkStream:
        """The same, encrypted, after the other side proved that it is *server_hostname*."""
        try:
            encrypted = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left())
        except BaseException:
            self.close()
            raise
        return BoundedStream(encrypted, self._deadline, self._left)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - httpcore2's signature
        """What the socket knows of itself."""
        return self._stream.get_extra_info(info)


@dataclass(frozen=True, slots=True)
class Pinned(NetworkBackend):
    """Connects to one of *addresses*, whatever name it is asked for, directly or through a proxy."""

    addresses: Sequence[IPAddress]
    port: int
    deadline: Deadline
    most_bytes: int
    proxy: "Pinned | None" = None

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> NetworkStream:
        """A stream to the first of the addresses that takes it, each with its share of the time that is left."""
        attempts = self.addresses[:MOST_ATTEMPTS]
        for still_to_try, address in zip(range(len(attempts), 0, -1), attempts, strict=True):
            try:
                return self._connect(address, self.deadline.left() / still_to_try)
            except (NetworkError, TimeoutException):
                continue
        self.deadline.left()
        raise FetchRefused(Refusal.CONNECTION)

    def _connect(self, address: IPAddress, seconds: float) -> NetworkStream:
        if self.proxy:
            return self._tunnel(self.proxy, address)
        stream = SyncBackend().connect_tcp(str(address), self.port, seconds, socket_options=())
        return BoundedStream(stream, self.deadline, self.most_bytes)

    def _tunnel(self, proxy: "Pinned", address: IPAddress) -> NetworkStream:
        """RFC 9110 §9.3.6: the proxy is given the address, and has no name to resolve."""
        host = f"[{address}]" if address.version == 6 else str(address)
        target = f"{host}:{self.port}".encode()
        origin = Origin(b"http", b"proxy", proxy.port)
        asked = Request(
            "CONNECT", URL(scheme=b"http", host=b"proxy", port=proxy.port, target=target), headers=[(b"Host", target)]
        )
        connection = HTTPConnection(origin, network_backend=proxy)
        answer = connection.handle_request(asked)
        if not 200 <= answer.status < 300:
            connection.close()
            raise FetchRefused(Refusal.CONNECTION)
        stream: NetworkStream = answer.extensions["network_stream"]
        return stream
