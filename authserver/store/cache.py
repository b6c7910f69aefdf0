"""A small cache for what every token call looks up."""

import threading
import time
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class RecentlyUsed(Generic[Value]):
    """Keeps the values used last, each for some seconds and only within the epoch that it is of.

    That is of the configuration, or whatever else is another one when what was kept holds no more.
    """

    def __init__(self, most: int, seconds: float) -> None:
        """At most *most* values, none older than *seconds*."""
        self._most = most
        self._seconds = seconds
        self._lock = threading.Lock()
        self.hits = self.misses = 0
        self._kept: OrderedDict[str, tuple[Value, Hashable, float]] = OrderedDict()

    def get(self, key: str, epoch: Hashable) -> Value | None:
        """The value of *key*, if it was kept in this *epoch* and is young enough."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is None:
                self.misses += 1
                return None
            value, of_epoch, until = kept
            if of_epoch != epoch or time.monotonic() >= until:
                del self._kept[key]
                self.misses += 1
                return None
            self._kept.move_to_end(key)
            self.hits += 1
            return value

    def keep(self, key: str, value: Value, epoch: Hashable) -> None:
        """Keep *value*, and let go of what was used longest ago if there are too many."""
        with self._lock:
            self._kept[key] = (value, epoch, time.monotonic() + self._seconds)
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def counts(self) -> dict[str, int]:
        """How often what was asked for was there (``hit``) or not (``miss``)."""
        return {"hit": self.hits, "miss": self.misses}

    def clear(self) -> None:
        """Keep nothing."""
        with self._lock:
            self._kept.clear()
