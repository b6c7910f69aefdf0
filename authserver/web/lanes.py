"""Who is served at once, who waits, and who is sent away, so that no kind of request takes the threads of another.

Calls of the back channel have every thread of a worker. All other kinds go in lanes: each has so many threads at once,
all together leave a few to the calls. Who finds no thread waits in a queue, which costs none; who finds no room there,
or has waited too long, is asked to come again.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, TypeVar
from urllib.parse import unquote, urlsplit

from ..protocol import own_api
from ..protocol.metadata import base_path

KEPT_THREADS = 2  # of each worker, for the calls of the back channel
MOST_WAITING = 64  # requests of one lane
PATIENCE = 5.0  # seconds
Waiting = TypeVar("Waiting")


class Lane(Enum):
    """A kind of requests."""

    CALLS = "calls"
    """Tokens, revocation, introspection, status lists, documents."""
    AUTHORIZATIONS = "authorizations"
    """What apps ask for and people decide on; some wait for a document that is fetched."""
    PAGES = "pages"
    ACCOUNTS = "accounts"
    """What people send: sign-ins, with passwords to be hashed, and changes of their accounts."""
    ADMINISTRATION = "administration"
    """The console and the API: what counts and lists."""
    REGISTRATIONS = "registrations"
    BULK = "bulk"
    """Receipts and manifests of guards."""
    STREAMS = "streams"
    """All bodies that are read as they come: who sends one slowly holds a thread."""


CALLS = frozenset(
    {
        "/token",
        "/revoke",
        "/introspect",
        "/tool-permission",
        "/tool-challenge",
        "/authorization-details-types",
        "/jwks",
        "/status",
    }
)
BULK = frozenset({"/tool-receipts", "/tool-manifest"})
UNDER: tuple[tuple[str, Lane], ...] = (
    ("/.well-known/", Lane.CALLS),
    ("/status/", Lane.CALLS),
    ("/health/", Lane.CALLS),
    ("/register", Lane.REGISTRATIONS),
    ("/authorize", Lane.AUTHORIZATIONS),
    ("/admin", Lane.ADMINISTRATION),
    (own_api.PATH + "/", Lane.ADMINISTRATION),
)


def lane_of(received: bytes | bytearray, issuer: str) -> Lane:
    """The lane of the request that begins with *received*, by its first line; the server's issuer is *issuer*."""
    line = bytes(received.lstrip(b"\r\n").partition(b"\r\n")[0])  # empty lines before it are none (RFC 9112 §2.2)
    method, _, rest = line.partition(b" ")
    path = _path(rest.partition(b" ")[0].decode("latin-1")).removeprefix(base_path(issuer))
    if path in CALLS:
        return Lane.CALLS
    if path in BULK:
        return Lane.BULK
    found = next((lane for start, lane in UNDER if path.startswith(start)), None)
    return found or (Lane.ACCOUNTS if method == b"POST" else Lane.PAGES)


def _path(target: str) -> str:
    """The path that *target* is about, however it is written (RFC 9112 §3.2): each has one lane.

    What does not begin with it is read as by the server's own parser.
    """
    path = target.partition("?")[0].partition("#")[0]
    if not path.startswith("/"):
        try:
            path = urlsplit(target).path
        except ValueError:
            path = ""
    return unquote(path, "latin-1") if "%" in path else path


def widths(threads: int) -> dict[Lane, int]:
    """How many of a worker's *threads* each lane may have at once; the calls have all."""
    together = together_of(threads)
    quarter = max(1, threads // 4)
    return {
        Lane.CALLS: threads,
        Lane.AUTHORIZATIONS: max(1, together - 1),
        Lane.PAGES: max(1, threads // 2),
        Lane.ACCOUNTS: quarter,
        Lane.ADMINISTRATION: quarter,
        Lane.REGISTRATIONS: quarter,
        Lane.BULK: quarter,
        Lane.STREAMS: quarter,
    }


def together_of(threads: int) -> int:
    """How many of a worker's *threads* all lanes but the calls have."""
    return max(1, threads - KEPT_THREADS)


@dataclass(slots=True)
class Turns(Generic[Waiting]):
    """Whose turn it is, in one worker: for its main thread alone, if not said otherwise, so nothing is locked."""

    threads: int
    clock: Callable[[], float] = time.monotonic
    _running: dict[Lane, int] = field(default_factory=lambda: dict.fromkeys(Lane, 0))
    _queues: dict[Lane, deque[tuple[float, Waiting]]] = field(default_factory=lambda: {lane: deque() for lane in Lane})
    _widths: dict[Lane, int] = field(init=False)

    def __post_init__(self) -> None:
        self._widths = widths(self.threads)

    def enter(self, lane: Lane, who: Waiting) -> bool | None:
        """True: it is *who*'s turn. False: they wait in the queue. None: there is no room for them."""
        if not self._queues[lane] and self._has_room(lane):
            self._running[lane] += 1
            return True
        if len(self._queues[lane]) >= MOST_WAITING:
            return None
        self._queues[lane].append((self.clock() + PATIENCE, who))
        return False

    def leave(self, lane: Lane) -> list[tuple[Lane, Waiting]]:
        """One of *lane* is done. Returns those whose turn it is now."""
        self._running[lane] -= 1
        started: list[tuple[Lane, Waiting]] = []
        if lane is Lane.CALLS:
            return started
        for each in (lane, *(other for other in Lane if other is not lane)):
            while self._queues[each] and self._has_room(each):
                self._running[each] += 1
                started.append((each, self._queues[each].popleft()[1]))
        return started

    def spares(self, lane: Lane) -> bool:
        """Whether one of *lane* may keep its turn for a moment: nobody waits for one. For any thread."""
        return lane is Lane.CALLS or (lane is Lane.AUTHORIZATIONS and not any(self._queues.values()))

    def weary(self) -> list[tuple[Lane, Waiting]]:
        """Those who have waited too long: they wait no more."""
        now, found = self.clock(), []
        for lane, queue in self._queues.items():
            while queue and queue[0][0] <= now:
                found.append((lane, queue.popleft()[1]))
        return found

    def waiting(self, begun: Iterable[Lane]) -> dict[str, int]:
        """How many wait, by lane: in its queue, and of those who have *begun* and no thread yet. For any thread."""
        found = {lane.value: len(queue) for lane, queue in self._queues.items()}
        for lane in begun:
            found[lane.value] += 1
        return found

    def _has_room(self, lane: Lane) -> bool:
        if lane is Lane.CALLS:
            return True
        others = sum(self._running.values()) - self._running[Lane.CALLS]
        return self._running[lane] < self._widths[lane] and others < together_of(self.threads)
