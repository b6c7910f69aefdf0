"""Connections that have had their last answer, until their clients have read it and closed them too (RFC 9112 §9.6).

Closed at once, with something of the request unread, a connection takes back what was sent last. gunicorn waits for the
client in its main thread, in which a client that does not close would hold all others.
"""

import socket
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from selectors import EVENT_READ, BaseSelector
from typing import Any

from .sockets import what_came

SECONDS = 2.0
MOST_READ = 65_536  # bytes that may still come of a request


@dataclass(slots=True)
class Last:
    """Until when a client may close, and how many bytes it may still send."""

    until: float
    left: int = MOST_READ


class Leaving:
    """Those of one worker, for its main thread alone. They are no burden: whoever needs their room may have it."""

    def __init__(self, poller: BaseSelector, close: Callable[[Any], None]) -> None:
        """*poller* is the worker's; *close* closes and forgets a connection."""
        self._poller = poller
        self._close = close
        self._waiting: OrderedDict[Any, Last] = OrderedDict()

    def add(self, conn: Any) -> None:  # noqa: ANN401 - gunicorn has no types
        """Say on *conn* that no more will come, and close it when the client has, or after some time."""
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:  # it is gone already
            self._close(conn)
            return
        self._waiting[conn] = Last(time.monotonic() + SECONDS)
        self._poller.register(conn.sock, EVENT_READ, lambda _: self._read(conn))

    def close_first(self) -> bool:
        """Close the one that came first; False if there is none."""
        if not self._waiting:
            return False
        self._end(next(iter(self._waiting)))
        return True

    def close_late(self) -> None:
        """Close those whose clients have had their time."""
        now = time.monotonic()
        while self._waiting and now > next(iter(self._waiting.values())).until:
            self.close_first()

    def _read(self, conn: Any) -> None:  # noqa: ANN401
        last = self._waiting.get(conn)
        if last is None:  # closed, to make room, since its turn came
            return
        received = what_came(conn.sock)
        if received is None:
            return
        last.left -= len(received)
        if not received or last.left < 0:
            self._end(conn)

    def _end(self, conn: Any) -> None:  # noqa: ANN401
        del self._waiting[conn]
        self._poller.unregister(conn.sock)
        self._close(conn)
