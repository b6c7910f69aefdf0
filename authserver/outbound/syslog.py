"""Sending to a syslog collector that the operator named: RFC 6587 over TCP, or what listens at a Unix socket.

TCP does not tell whether the other side read what it was sent, so each batch has a connection of its own: it counts as
taken when the collector, at the end of what we say, has read everything and closes. Otherwise it is sent again.
"""

import errno
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address

from httpcore2 import NetworkError, TimeoutException

from .addresses import IPAddress
from .connection import Way
from .deadline import Deadline
from .refusal import FetchRefused, Refusal
from .resolution import Resolution, system_resolver

MOST_ANSWER = 64 * 1024
NAMES_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Collector:
    """A collector at *host* and *port*. A batch takes at most so many *seconds*."""

    host: str
    port: int
    seconds: float = 10.0
    resolution: Resolution = field(default_factory=lambda: Resolution(system_resolver, NAMES_AT_ONCE))

    def send(self, messages: Sequence[bytes]) -> None:
        """Have all *messages* read. Raises `FetchRefused`."""
        deadline = Deadline(self.seconds)
        try:
            with closing(Way(self._addresses(deadline), self.port, deadline, MOST_ANSWER).open()) as stream:
                stream.write(b"".join(map(_counted, messages)))
                stream.get_extra_info("socket").shutdown(socket.SHUT_WR)
                while stream.read(4096):
                    pass
        except TimeoutException:
            raise FetchRefused(Refusal.TIMEOUT, "it did not read and close in time") from None
        except (NetworkError, OSError):
            raise FetchRefused(Refusal.CONNECTION, "the connection broke off") from None

    def _addresses(self, deadline: Deadline) -> list[IPAddress]:
        try:
            return [ip_address(self.host)]
        except ValueError:
            return self.resolution.addresses(self.host, deadline)


@dataclass(frozen=True, slots=True)
class LocalCollector:
    """A collector at the Unix socket *path*, of datagrams such as ``/dev/log``, or of a stream.

    A batch takes at most so many *seconds*.
    """

    path: str
    seconds: float = 10.0

    def send(self, messages: Sequence[bytes]) -> None:
        """Have all *messages* taken. Raises `FetchRefused`."""
        deadline = Deadline(self.seconds)
        try:
            try:
                self._as_datagrams(messages, deadline)
            except OSError as failed:
                if failed.errno != errno.EPROTOTYPE:
                    raise
                self._as_stream(messages, deadline)
        except TimeoutError:
            raise FetchRefused(Refusal.TIMEOUT, "it did not read in time") from None
        except OSError as failed:
            if failed.errno == errno.EMSGSIZE:
                raise FetchRefused(Refusal.TOO_MUCH, "a message is larger than it takes") from None
            raise FetchRefused(Refusal.CONNECTION, f"it cannot be reached: {failed.strerror}") from None

    def _as_datagrams(self, messages: Sequence[bytes], deadline: Deadline) -> None:
        with self._connected(socket.SOCK_DGRAM, deadline) as sending:
            for message in messages:
                sending.settimeout(deadline.left())
                sending.send(message)

    def _as_stream(self, messages: Sequence[bytes], deadline: Deadline) -> None:
        with self._connected(socket.SOCK_STREAM, deadline) as sending:
            sending.sendall(b"".join(map(_counted, messages)))
            sending.shutdown(socket.SHUT_WR)
            sending.settimeout(deadline.left())
            while sending.recv(4096):
                sending.settimeout(deadline.left())

    @contextmanager
    def _connected(self, kind: socket.SocketKind, deadline: Deadline) -> Iterator[socket.socket]:
        with socket.socket(socket.AF_UNIX, kind) as sending:
            sending.settimeout(deadline.left())
            sending.connect(self.path)
            sending.settimeout(deadline.left())
            yield sending


def _counted(message: bytes) -> bytes:
    """*message* with its length before it (RFC 6587 §3.4.1)."""
    return str(len(message)).encode("ascii") + b" " + message
