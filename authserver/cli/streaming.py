"""A connection whose body a thread reads as it comes, in a bounded time."""

import socket
import time
from typing import Any


class Bounded:
    """*connection*, of which is read for *seconds* in all; afterwards reading fails."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._connection = connection
        self._until = time.monotonic() + seconds

    def recv(self, most: int) -> bytes:
        """At most *most* bytes, as soon as there are any. Raises `TimeoutError`."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the body did not arrive in time")
        former = self._connection.gettimeout()
        self._connection.settimeout(left if former is None else min(left, former))
        try:
            return self._connection.recv(most)
        finally:
            self._connection.settimeout(former)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a connection has
        return getattr(self._connection, name)
