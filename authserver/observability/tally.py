"""Counts by a word, kept where something happens and read by whoever makes metrics of them."""

import threading


class Tally:
    """How often each of a few known words was said. Costs a fraction of a microsecond, so any path may have one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}

    def add(self, word: str, number: int = 1) -> None:
        """Count *number* more of *word*, which is one of ours: never what a stranger wrote."""
        with self._lock:
            self._counts[word] = self._counts.get(word, 0) + number

    def counts(self) -> dict[str, int]:
        """What was counted since this process began."""
        with self._lock:
            return dict(self._counts)
