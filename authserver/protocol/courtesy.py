"""Long work that lets the short go first: Python has one thread run at a time, and it changes them every 5 ms."""

import time
from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

T = TypeVar("T")
STRIDE: Final = 32  # about a millisecond of an event each


def politely(items: Iterable[T]) -> Iterator[T]:
    """*items*; again and again, threads that wait for this one go first."""
    for number, item in enumerate(items, 1):
        yield item
        if not number % STRIDE:
            time.sleep(0)
