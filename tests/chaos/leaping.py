"""Moments that no leap of a clock may fall into: what spans it would look like a theft, or be too late."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Spans:
    """Those that are under way; while a clock leaps there is none."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._under_way = 0
        self._leaping = False

    @contextmanager
    def span(self) -> Iterator[None]:
        """The block begins once nothing leaps, and nothing leaps until it ends."""
        with self._changed:
            self._changed.wait_for(lambda: not self._leaping)
            self._under_way += 1
        try:
            yield
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    @contextmanager
    def leap(self) -> Iterator[None]:
        """The block begins once nothing is under way, and nothing begins until it ends."""
        with self._changed:
            self._leaping = True
            self._changed.wait_for(lambda: not self._under_way)
        try:
            yield
        finally:
            with self._changed:
                self._leaping = False
                self._changed.notify_all()
