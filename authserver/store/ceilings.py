"""Ceilings on how often something is done, counted in the memory of this process.

Each key has a debt in seconds (GCRA, ITU-T I.371): every one that is admitted adds the time that one takes at the
ceiling's rate, and time pays it off. Nobody who owes a whole span is admitted. So a key may do its amount at once, and
then one after the other as they come free: in a span after a rest it comes to twice the amount at most.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator

from ..settings.rate import Rate

MOST_KEYS = 10_000
ROUNDING = 1e-6  # seconds: sums of fractions are no reason to refuse
MOST_SPANS = 2  # that a key may owe, whatever other processes tell: their clock may be wrong

Clock = Callable[[], float]


class Ceiling:
    """*rate* for each key; of more than `MOST_KEYS`, those that came last are known. None admits everything.

    A key that is forgotten for want of room begins anew: a flood by many sites can make others' counts smaller, and
    never refuse them.
    """

    def __init__(self, rate: Rate | None, clock: Clock = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._one = rate.seconds / rate.amount if rate else 0.0
        self._most = rate.seconds - self._one + ROUNDING if rate else 0.0
        self._lock = threading.Lock()
        self._free_at: OrderedDict[str, float] = OrderedDict()
        self._taken: dict[str, int] | None = None
        self.refused = 0
        """How often something was over the ceiling, since the process began. For metrics."""

    @classmethod
    def of(cls, notation: str) -> "Ceiling":
        """The one that a setting's *notation* says."""
        return cls(Rate.of(notation))

    def take(self, key: str) -> float:
        """Count one of *key*. Returns 0, or the seconds to wait if it is over the ceiling: then nothing is counted."""
        if self._rate is None:
            return 0.0
        now = self._clock()
        with self._lock:
            free_at = max(self._free_at.get(key, now), now)
            if (over := free_at - now - self._most) > 0:
                self.refused += 1
                return over
            self._put(key, free_at + self._one, now)
            if self._taken is not None:
                self._taken[key] = self._taken.get(key, 0) + 1
        return 0.0

    def wait(self, key: str) -> float:
        """The seconds that *key* has to wait, 0 if none; counts nothing."""
        free_at = self._free_at.get(key)
        return 0.0 if free_at is None else max(0.0, free_at - self._clock() - self._most)

    @property
    def is_busy(self) -> bool:
        """Whether anything was counted of late: where nothing was, nobody waits."""
        return bool(self._free_at)

    # ---- what other processes admitted

    @property
    def one(self) -> float:
        """The seconds that one of a key takes at the rate; 0 where there is no ceiling."""
        return self._one

    @property
    def most_owed(self) -> int:
        """The seconds that a key may owe by what all processes admitted; 0 where there is no ceiling."""
        return MOST_SPANS * self._rate.seconds if self._rate else 0

    def taken(self) -> dict[str, int]:
        """How many were admitted of each key since this was asked last: nothing before the first time."""
        with self._lock:
            found, self._taken = self._taken or {}, {}
        return found

    def owes(self, debts: dict[str, float]) -> None:
        """Take over what all processes together admitted, in seconds by key; what was admitted since is on top.

        Nothing gets less by it: whoever tells this may have forgotten some. Nor does it get more than `most_owed`.
        """
        now = self._clock()
        with self._lock:
            for key, debt in debts.items():
                since = (self._taken or {}).get(key, 0) * self._one
                owed = min(debt + since, self.most_owed)
                self._put(key, max(now + owed, self._free_at.get(key, 0.0)), now)

    def _put(self, key: str, free_at: float, now: float) -> None:
        """Also forget, of those that came first, who owes nothing any more: it is as if they had never come."""
        kept = self._free_at
        kept[key] = free_at
        kept.move_to_end(key)
        while kept and (len(kept) > MOST_KEYS or kept[next(iter(kept))] <= now):
            kept.popitem(last=False)


class Ceilings:
    """The ceilings of this process by name: those of one name are one."""

    def __init__(self) -> None:
        self._made: dict[str, Ceiling] = {}

    def of(self, name: str, notation: str) -> Ceiling:
        """The ceiling *name*, made as *notation* says if there is none yet."""
        return self._made.setdefault(name, Ceiling.of(notation))

    def counts(self) -> dict[str, int]:
        """How often each refused something, by its name."""
        return {name: ceiling.refused for name, ceiling in self._made.items() if ceiling.refused}

    def __iter__(self) -> Iterator[tuple[str, Ceiling]]:
        return iter(self._made.items())
