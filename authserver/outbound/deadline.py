"""One deadline for all that a fetch does, however many steps and reads it takes."""

import time

from .refusal import FetchRefused, Refusal


class Deadline:
    """So many *seconds* from now."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds that are left. Raises `FetchRefused` if there are none."""
        left = self._at - time.monotonic()
        if left <= 0:
            raise FetchRefused(Refusal.TIMEOUT)
        return left
