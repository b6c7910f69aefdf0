"""gunicorn's worker with threads, which answers guards that have nothing to learn without taking up a thread."""

import select
import socket
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

    def set_accept_enabled(self, enabled: bool) -> None:
        """Accept or not; who will not any more takes in who waits, and lets go of the port at once.

        Kept open until the last answer, as gunicorn does, it would go on collecting connections that nobody answers:
        a proxy would wait in vain instead of going to another node.
        """
        super().set_accept_enabled(enabled)
        if self.alive:
            return
        for listener in self.sockets:
            while select.select([listener], [], [], 0)[0]:
                self.accept(listener)
            listener.close()
        self.sockets = []

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
