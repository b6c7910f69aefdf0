"""A server on loopback that answers with whatever bytes a test likes, at whatever pace."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

PACE = 0.02

Answer = Callable[[socket.socket, bytes], None]


class Peer:
    """Accepts on *listening* and speaks through *answer*, which gets the socket and the request's head.

    With *context* it speaks TLS; without, *answer* gets an empty head as soon as somebody connects. ``requests`` are
    the heads that came, ``names`` the SNI, ``connections`` counts who connected.
    """

    def __init__(self, answer: Answer, context: ssl.SSLContext | None, listening: socket.socket) -> None:
        self._answer = answer
        self._context = context
        self._listening = listening
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
        """Stop to listen; answers that are still going on end with their connections."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _one(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            if not self._context:
                self._answer(connection, b"")
                return
            with self._context.wrap_socket(connection, server_side=True) as stream:
                self.requests.append(read_head(stream))
                self._answer(stream, self.requests[-1])


def read_head(stream: socket.socket) -> bytes:
    """What comes up to the empty line, or until the other side hangs up."""
    head = b""
    while b"\r\n\r\n" not in head:
        more = stream.recv(4096)
        if not more:
            break
        head += more
    return head


@contextmanager
def peer(
    answer: Answer, context: ssl.SSLContext | None = None, listening: socket.socket | None = None
) -> Iterator[Peer]:
    """A running `Peer`, on a free port of loopback if nothing else is given."""
    found = Peer(answer, context, listening or socket.create_server(("127.0.0.1", 0)))
    thread = threading.Thread(target=found.serve, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        found.close()
        thread.join()


def says(*parts: bytes) -> Answer:
    """Answers with *parts*, and hangs up."""
    return endlessly(parts)


def endlessly(parts: Iterable[bytes]) -> Answer:
    """Answers with *parts* as fast as they are taken."""

    def answer(stream: socket.socket, _head: bytes) -> None:
        for part in parts:
            stream.sendall(part)

    return answer


def slowly(start: bytes, drop: bytes, most: int = 3000) -> Answer:
    """Answers with *start*, and then with *drop* again and again, *most* times (a minute) or until nobody listens.

    The first drop comes after a moment, and so does the end.
    """

    def answer(stream: socket.socket, _head: bytes) -> None:
        stream.sendall(start)
        stream.settimeout(PACE)
        for _ in range(most):
            with suppress(TimeoutError):
                if not stream.recv(1):
                    return
            stream.sendall(drop)

    return answer


def head(*headers: str, status: str = "200 OK", content_type: str = "application/json") -> bytes:
    """The head of an answer with *headers*."""
    return "\r\n".join([f"HTTP/1.1 {status}", f"Content-Type: {content_type}", *headers, "", ""]).encode()


def document(body: bytes, *headers: str, status: str = "200 OK", content_type: str = "application/json") -> Answer:
    """Answers as a good server would."""
    return says(head(f"Content-Length: {len(body)}", *headers, status=status, content_type=content_type) + body)
