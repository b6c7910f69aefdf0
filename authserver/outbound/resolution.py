"""Names become addresses once, within the deadline.

`getaddrinfo` cannot be told to give up. It runs in a thread of its own, which the caller stops waiting for at the
deadline; the number of threads that still wait for a name server is bounded.
"""

import queue
import socket
import threading
from collections.abc import Callable
from ipaddress import ip_address

from .addresses import IPAddress
from .deadline import Deadline
from .refusal import FetchRefused, Refusal

Resolver = Callable[[str], list[str]]


def system_resolver(host: str) -> list[str]:
    """All addresses of *host*, IPv6 with its zone if it has one, in the order to try. Raises `OSError`."""
    # As bytes: a str would be taken through Python's own IDNA first.
    found = socket.getaddrinfo(host.encode("ascii"), None, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for *_, sockaddr in found]


class Resolution:
    """Asks *resolver* for at most *most* names at once."""

    def __init__(self, resolver: Resolver, most: int) -> None:
        self._resolver = resolver
        self._slots = threading.BoundedSemaphore(most)

    def addresses(self, host: str, deadline: Deadline) -> list[IPAddress]:
        """The addresses of *host*, each once. Raises `FetchRefused`."""
        if not self._slots.acquire(blocking=False):
            raise FetchRefused(Refusal.BUSY)
        answer: queue.SimpleQueue[list[IPAddress] | None] = queue.SimpleQueue()
        threading.Thread(target=self._ask, args=(host, answer), name="resolve", daemon=True).start()
        try:
            found = answer.get(timeout=deadline.left())
        except queue.Empty:
            raise FetchRefused(Refusal.TIMEOUT) from None
        if not found:
            raise FetchRefused(Refusal.RESOLUTION)
        return found

    def _ask(self, host: str, answer: "queue.SimpleQueue[list[IPAddress] | None]") -> None:
        found = None
        try:
            found = list(dict.fromkeys(ip_address(text) for text in self._resolver(host)))
        except (OSError, ValueError):
            pass
        finally:
            self._slots.release()
            answer.put(found)
