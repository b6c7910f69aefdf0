"""gunicorn's worker with threads, which answers guards that have nothing to learn without taking up a thread."""

import socket
import threading
from contextlib import suppress
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from ..services.deployment import Deployment
from ..web.backchannel.unchanged import MOST_BYTES, Unchanged


class Worker(ThreadWorker):  # type: ignore[misc]
    """Looks at what comes on a kept connection before a thread does; what it does not answer is as it was."""

    def load_wsgi(self) -> None:
        """Load the application, and what answers for it."""
        super().load_wsgi()
        found: Deployment = self.wsgi.extensions["authserver"]
        self._unchanged = Unchanged(found.status_lists, found.settings.issuer)
        self._readiness, self._drain_seconds = found.readiness, found.settings.drain_seconds

    def handle_exit(self, sig: int, frame: Any) -> None:  # noqa: ANN401 - gunicorn's handler of SIGTERM
        """Be ready no more; stop when whoever looks at that has had the time to go elsewhere."""
        self._readiness.drain()
        if self._drain_seconds:
            threading.Timer(self._drain_seconds, super().handle_exit, (sig, frame)).start()
        else:
            super().handle_exit(sig, frame)

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
