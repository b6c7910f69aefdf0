"""gunicorn's worker with threads, which answers most of what programs send by a shorter way.

Guards that have nothing to learn are answered without taking up a thread. Plain requests to the back channel are
answered by the thread that has the connection, which then waits a moment for the next one there.
"""

import select
import socket
from collections import deque
from contextlib import suppress
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from ..services.deployment import Deployment
from ..web.backchannel import plain
from ..web.backchannel.unchanged import MOST_BYTES, Unchanged

PATIENCE = 3  # milliseconds that a thread stays with a connection while no other waits for one
MOST_STAYED = 100  # answers, after which the others have their turn, whether they were noticed or not


class Worker(ThreadWorker):  # type: ignore[misc]
    """Looks at what comes on a kept connection before gunicorn does; what it does not answer is as it was."""

    def load_wsgi(self) -> None:
        """Load the application, and what answers for it."""
        super().load_wsgi()
        found: Deployment = self.wsgi.extensions["authserver"]
        self._unchanged = Unchanged(found.status_lists, found.settings.issuer)
        self._queue: deque[None] = deque()  # a connection each that waits for a thread

    def on_client_socket_readable(self, conn: Any, client: socket.socket) -> None:  # noqa: ANN401 - no types
        """Answer here, or hand *conn* to a thread."""
        received = self._waiting(client) if self.alive else b""
        answer = self._unchanged.answer(received)
        if answer is None:
            super().on_client_socket_readable(conn, client)
            return
        self.keepalived_conns.remove(conn)
        if self._sent(client, received, answer):
            conn.set_timeout()
            self.keepalived_conns.append(conn)
        else:
            self.poller.unregister(client)
            self.nr_conns -= 1
            conn.close()

    def enqueue_req(self, conn: Any) -> None:  # noqa: ANN401
        """Hand *conn* to a thread."""
        self._queue.append(None)
        super().enqueue_req(conn)

    def handle(self, conn: Any) -> Any:  # noqa: ANN401
        """In a thread: answer what came on *conn*, and what comes right after it. Whether it is kept."""
        self._queue.pop()
        kept = self._answer(conn)
        for _ in range(MOST_STAYED):
            if kept is not True or not self.alive or self._queue or not _readable(conn.sock):
                break
            kept = self._answer(conn)
        return kept

    def _answer(self, conn: Any) -> Any:  # noqa: ANN401
        by_tcp = isinstance(conn.client, tuple) and not self.cfg.is_ssl  # who comes by a Unix socket has no address
        if not by_tcp or not conn.initialized or conn.is_http2 or conn.parser.unreader.buf.tell():
            return super().handle(conn)
        conn.sock.setblocking(True)
        try:
            received = conn.sock.recv(plain.MOST_BYTES)
            environ = plain.environ(received, conn.client[0])
            if environ is not None and self.wsgi.wsgi_app.is_back_channel(environ["PATH_INFO"]):
                return self._served(conn, environ)
        except OSError:
            return False
        except Exception:
            self.log.exception("a request was not answered")
            return False
        conn.parser.unreader.unread(received)
        return super().handle(conn)

    def _served(self, conn: Any, environ: dict[str, Any]) -> bool:  # noqa: ANN401
        said: list[tuple[str, plain.Headers]] = []
        body = b"".join(self.wsgi(environ, lambda status, headers: said.append((status, headers))))
        kept: bool = self.alive
        conn.sock.sendall(plain.answer(*said[0], body, keep=kept))
        return kept

    @staticmethod
    def _waiting(client: socket.socket) -> bytes:
        """What has come, left where it is."""
        with suppress(OSError):
            return client.recv(MOST_BYTES, socket.MSG_PEEK)
        return b""

    @staticmethod
    def _sent(client: socket.socket, received: bytes, answer: bytes) -> bool:
        with suppress(OSError):
            return client.recv(len(received)) == received and client.send(answer) == len(answer)
        return False


def _readable(client: socket.socket) -> bool:
    """Whether something comes within a moment."""
    waiting = select.poll()
    waiting.register(client, select.POLLIN)
    return bool(waiting.poll(PATIENCE))
