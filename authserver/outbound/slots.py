"""How many fetches may run at once: in all, and from one host."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from .refusal import FetchRefused, Refusal


class Slots:
    """At most *most* fetches at once, *per_host* of them from one host."""

    def __init__(self, most: int, per_host: int) -> None:
        self._most = most
        self._per_host = per_host
        self._lock = threading.Lock()
        self._taken: Counter[str] = Counter()

    @contextmanager
    def one(self, host: str) -> Iterator[None]:
        """Hold a slot for *host*. Raises `FetchRefused` at once if there is none."""
        with self._lock:
            if self._taken.total() >= self._most or self._taken[host] >= self._per_host:
                raise FetchRefused(Refusal.BUSY)
            self._taken[host] += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken[host] -= 1
                self._taken += Counter()  # forgets the hosts with none
