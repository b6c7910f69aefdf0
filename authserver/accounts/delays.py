"""Delays that grow with each failure (AZ-12)."""

import math

from ..store.throttles import Delay


def growing(first: float, free: int, longest: int) -> Delay:
    """Nothing for *free* failures, then *first* seconds, doubled by each further one, up to *longest* seconds."""

    def delay(failures: int) -> int:
        steps = failures - free
        return 0 if steps < 1 else min(longest, math.ceil(first * 2.0 ** min(steps - 1, 30)))

    return delay
