"""TLS over a stream, piece by piece.

OpenSSL reads a socket for as long as it finds records that are none of the document's: a peer that sends session
tickets faster than they are read would hold it past any deadline. Here it gets what one bounded read of the stream
brought, and no more until that is used up.
"""

import ssl
from collections.abc import Callable
from typing import Any, TypeVar

from httpcore2 import ConnectError, NetworkStream, ReadError

Result = TypeVar("Result")
PIECE = 16 * 1024


class EncryptedStream(NetworkStream):
    """*stream*, encrypted, after the other side proved that it is *server_hostname* (a name or an IP address).

    Raises `httpcore2.ConnectError` if it does not; its cause is the `ssl.SSLError`.
    """

    def __init__(self, stream: NetworkStream, context: ssl.SSLContext, server_hostname: str | None) -> None:
        self._stream = stream
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_hostname)
        try:
            self._until_done(self._tls.do_handshake)
        except ssl.SSLError as failed:
            raise ConnectError(str(failed)) from failed

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What has come; nothing once the other side has ended.

        Small servers end without saying so. What was cut off short is then told by HTTP's lengths, or by JSON: no
        part of an object is an object.
        """
        try:
            return self._until_done(lambda: self._tls.read(max_bytes))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""
        except ssl.SSLError as failed:
            raise ReadError(str(failed)) from failed

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send *buffer*."""
        self._until_done(lambda: self._tls.write(buffer))

    def close(self) -> None:
        """Close the socket."""
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - httpcore2's signature
        """What the connection knows of itself."""
        return self._tls if info == "ssl_object" else self._stream.get_extra_info(info)

    def _until_done(self, step: Callable[[], Result]) -> Result:
        while True:
            try:
                done = step()
            except ssl.SSLWantReadError:
                self._send()
                self._receive()
            else:
                self._send()
                return done

    def _send(self) -> None:
        if waiting := self._outgoing.read():
            self._stream.write(waiting)

    def _receive(self) -> None:
        if data := self._stream.read(PIECE):
            self._incoming.write(data)
        else:
            self._incoming.write_eof()
