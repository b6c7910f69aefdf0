"""Sockets to addresses that were judged: nothing here knows a name to resolve.

httpcore2 speaks HTTP and TLS over what `Way.open` hands out; the name goes only into SNI, the certificate check and
the ``Host`` header.
"""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from httpcore2 import (
    URL,
    HTTP11Connection,
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
from .tls import EncryptedStream

MOST_ATTEMPTS = 4


class BoundedStream(NetworkStream):
    """A stream that ends at a deadline, and gives no more than so many bytes, those of TLS among them."""

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
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> NetworkStream:
        """The same, encrypted, after the other side proved that it is *server_hostname*."""
        try:
            return EncryptedStream(self, ssl_context, server_hostname)
        except BaseException:
            self.close()
            raise

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - httpcore2's signature
        """What the socket knows of itself."""
        return self._stream.get_extra_info(info)


@dataclass(frozen=True, slots=True)
class Way:
    """The way to a host: to *port* of one of its *addresses*, directly or through a *proxy*."""

    addresses: Sequence[IPAddress]
    port: int
    deadline: Deadline
    most_bytes: int
    proxy: "Way | None" = None

    def open(self) -> NetworkStream:
        """A stream to the first of the addresses that takes it, each with its share of the time that is left.

        Raises `FetchRefused`, or an error of httpcore2 if the proxy does not speak HTTP.
        """
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
            return self._tunnel(self.proxy.open(), address)
        stream = SyncBackend().connect_tcp(str(address), self.port, seconds, socket_options=())
        return BoundedStream(stream, self.deadline, self.most_bytes)

    def _tunnel(self, stream: NetworkStream, address: IPAddress) -> NetworkStream:
        """RFC 9110 §9.3.6: the proxy is given the address, and has no name to resolve."""
        host = f"[{address}]" if address.version == 6 else str(address)
        target = f"{host}:{self.port}".encode()
        origin = Origin(b"http", host.encode(), self.port)
        url = URL(scheme=origin.scheme, host=origin.host, port=origin.port, target=target)
        connection = HTTP11Connection(origin, stream)
        answer = connection.handle_request(Request("CONNECT", url, headers=[(b"Host", target)]))
        if not 200 <= answer.status < 300:
            connection.close()
            raise FetchRefused(Refusal.CONNECTION)
        return stream
