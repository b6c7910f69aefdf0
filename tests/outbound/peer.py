"""A TLS server on loopback that answers with whatever bytes a test likes, at whatever pace."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Answer = Callable[[socket.socket, bytes], None]


class Peer:
    """Listens on a free port of loopback and speaks through *answer*, which gets the socket and the request's head.

    ``requests`` are the heads that came; ``connections`` counts the sockets that were accepted, ``names`` the SNI.
    """

    def __init__(self, answer: Answer, context: ssl.SSLContext | None) -> None:
        self._answer = answer
        self._context = context
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.ended = threading.Event()
        self.port: int = self._listening.getsockname()[1]
        self.requests: list[bytes] = []
        self.names: list[str | None] = []
        self.connections = 0
        if context:
            context.sni_callback = lambda _socket, name, _context: self.names.append(name)

    def serve(self) -> None:
        """Until `close`: one thread for each connection."""
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def close(self) -> None:
        """Stop to listen, and tell the answers that are still going on."""
        self.ended.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _one(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            stream = self._context.wrap_socket(connection, server_side=True) if self._context else connection
            with stream:
                head = _head(stream)
                self.requests.append(head)
                self._answer(stream, head)


def _head(stream: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        more = stream.recv(4096)
        if not more:
            break
        head += more
    return head


@contextmanager
def peer(answer: Answer, context: ssl.SSLContext | None = None) -> Iterator[Peer]:
    """A running `Peer`; without *context* it speaks plain TCP."""
    found = Peer(answer, context)
    thread = threading.Thread(target=found.serve, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        found.close()
        thread.join()


def says(*parts: bytes) -> Answer:
    """Answers with *parts*, and hangs up."""

    def answer(stream: socket.socket, _head: bytes) -> None:
        for part in parts:
            stream.sendall(part)

    return answer


def document(body: bytes, *headers: str, status: str = "200 OK", content_type: str = "application/json") -> Answer:
    """Answers as a good server would."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}", f"Content-Length: {len(body)}", *headers]
    return says("\r\n".join([*lines, "", ""]).encode() + body)
