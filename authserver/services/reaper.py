"""The reaper: what becomes of registrations that nobody uses (CR-3, CR-15)."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from ..protocol.audit import Event
from ..store.reaping import Due, RegistrationStore

BATCH = 500
PAUSE = 0.02  # seconds between batches, in which others come to write
SPARED_SECONDS = 3600  # a person who is just connecting a client is not disturbed, however full the table is


@dataclass(frozen=True, slots=True)
class Reaper:
    """Deletes what was not used within ``unused_lifetime`` seconds; ends what was not used for ``idle_lifetime`` ones.

    An ``idle_lifetime`` of 0 is without end. When more than three quarters of ``most_unused`` are there, the oldest
    unused ones go before their time, though none within its first hour: a flood drives out what is left over from it
    before it shuts others out.
    """

    registrations: RegistrationStore
    unused_lifetime: int
    idle_lifetime: int
    most_unused: int

    def due(self, limit: int) -> tuple[tuple[Due, ...], tuple[Due, ...]]:
        """At most *limit* each of the unused and of the idle ones that would go now."""
        return self.registrations.unused(self._unused_until(), limit), self._idle(limit)

    def reap(self, rest: Callable[[float], object] = time.sleep) -> tuple[int, int]:
        """Let go of all that is due, in bounded batches with a *rest* between; returns how many unused and idle."""
        until = self._unused_until()
        unused = self._in_batches(
            lambda: self.registrations.delete_unused(until, BATCH, Event("clients.expired", "system")), rest
        )
        return unused, self._in_batches(self._end_idle, rest)

    def count_alike(self, likeness: bytes, most: int) -> int:
        """How many unused registrations are alike (`Client.likeness`) and past their first hour; counts to *most*."""
        return self.registrations.count_alike(likeness, self.registrations.age_limit(SPARED_SECONDS), most)

    def delete_alike(self, likeness: bytes, event: Event, seconds: float) -> int:
        """Delete those until none is left or *seconds* have passed, each batch on its own; returns how many."""
        made_until, until = self.registrations.age_limit(SPARED_SECONDS), time.monotonic() + seconds
        gone = 0
        while True:
            some = self.registrations.delete_unused(made_until, BATCH, event, likeness)
            gone += some
            if some < BATCH or time.monotonic() >= until:
                return gone

    def _unused_until(self) -> int:
        expired = self.registrations.age_limit(self.unused_lifetime)
        surplus = self.registrations.surplus_until(self.most_unused * 3 // 4)
        if surplus is None:
            return expired
        return max(expired, min(surplus, self.registrations.age_limit(SPARED_SECONDS)))

    def _idle(self, limit: int) -> tuple[Due, ...]:
        if not self.idle_lifetime:
            return ()
        return self.registrations.idle(self.registrations.age_limit(self.idle_lifetime), limit)

    def _end_idle(self) -> int:
        if not self.idle_lifetime:
            return 0
        until = self.registrations.age_limit(self.idle_lifetime)
        return self.registrations.end_idle(until, BATCH, Event("client.expired", "system"))

    @staticmethod
    def _in_batches(batch: Callable[[], int], rest: Callable[[float], object]) -> int:
        gone = done = batch()
        while done == BATCH:
            rest(PAUSE)
            done = batch()
            gone += done
        return gone
