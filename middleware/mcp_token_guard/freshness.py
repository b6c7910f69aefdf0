"""A remote document kept at hand: renewed in time by one caller for all, and used on while its source is down.

Its words: a value is *due* when it has not been confirmed for an interval, and *stale*, which nobody may use, after a
bound. Under steady use a due value is renewed in the background and no request waits; after a pause (a quarter of the
interval more) the first request waits, so that nothing is judged by what was true long ago; while the source is down
it is asked every second and nobody waits. What something else vouches for is not fetched, and is as old as that word.
"""

import logging
import os
import random
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

from .background import finished, start
from .fetch import FetchError
from .refusals import IssuerUnavailable

T = TypeVar("T")
NEVER = float("-inf")
RETRY = 1.0
PATIENCE = 1.25

log = logging.getLogger("mcp_token_guard")


@dataclass(frozen=True, slots=True)
class Cycle:
    """When values are due, and when they are stale; in seconds. Values of one cycle come due together."""

    interval: float
    bound: float

    @classmethod
    def spread(cls, interval: float, bound: float) -> "Cycle":
        """About that *interval*: guards that began together do not all ask in the same moment for ever."""
        return cls(interval * random.uniform(0.95, 1), bound)  # noqa: S311


class KeptFresh(Generic[T]):
    """The newest value that *fetch* gave, for all threads and event loops of a process.

    ``fetch(previous)`` returns a value, the previous one itself when nothing has changed, and raises `FetchError`.
    ``vouch(value)`` tells when, in seconds of ``clock``, the value is known to have been the newest, without fetching
    it; None where nobody knows.
    """

    def __init__(
        self,
        fetch: Callable[[T | None], Awaitable[T]],
        cycle: Cycle,
        *,
        vouch: Callable[[T], Awaitable[float | None]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._cycle = cycle
        self._vouch = vouch
        self._clock = clock
        self._value: T | None = None
        self._confirmed = NEVER
        self._attempted = NEVER
        self._failed = False
        self._renewal: Future[None] | None = None
        self._starting = threading.Lock()
        self._process = os.getpid()

    async def current(self) -> T:
        """The value. Raises `IssuerUnavailable` when there is none that was confirmed within the bound."""
        age = self._clock() - self._confirmed
        if age >= self._cycle.interval:
            self._begin()
            if age >= self._cycle.bound or (age >= PATIENCE * self._cycle.interval and not self._failed):
                await self.settle()
        return self._usable()

    async def due(self) -> tuple[T, float]:
        """The value, asked for now if it is due, and when it was confirmed.

        Raises `IssuerUnavailable` when it was due and is not confirmed anew, whyever; once it has failed, without
        waiting for the next attempt.
        """
        before = self._confirmed
        if self._clock() - before >= self._cycle.interval:
            self._begin()
            if not self._failed:
                await self.settle()
            if self._confirmed == before:
                raise IssuerUnavailable("the authorization server cannot be reached; try again shortly")
        return self._usable(), self._confirmed

    async def renew(self) -> T:
        """The value as the source has it now. Raises `IssuerUnavailable` like `current`."""
        await self.settle()  # what began before may not know what the caller knows
        self._start(vouched=False)
        await self.settle()
        return self._usable()

    async def settle(self) -> None:
        """Wait for a renewal that is under way, so that nothing outlives the server."""
        self._know_process()
        with self._starting:
            renewal = self._renewal
        if renewal is not None and not renewal.done():
            await finished(renewal)

    def _know_process(self) -> None:
        """After a fork, what was under way is the parent's: it would never end here."""
        if self._process != os.getpid():
            self._process = os.getpid()
            self._renewal = None
            self._attempted = NEVER
            self._starting = threading.Lock()

    def _begin(self) -> None:
        self._know_process()
        if not self._failed or self._clock() - self._attempted >= RETRY:
            self._start(vouched=True)

    def _start(self, *, vouched: bool) -> None:
        with self._starting:
            if self._renewal is None or self._renewal.done():
                if vouched and self._clock() - self._confirmed < self._cycle.interval:
                    return  # another thread's was done a moment ago
                self._attempted = self._clock()
                self._renewal = start(self._renew(vouched))

    async def _renew(self, vouched: bool) -> None:
        try:
            confirmed = await self._vouched() if vouched else None
            if confirmed is None:
                confirmed = self._clock()  # an answer is as old as its question
                self._value = await self._fetch(self._value)
        except (FetchError, IssuerUnavailable) as error:
            if not self._failed:
                log.warning("cannot refresh: %s", error)
            self._failed = True
        else:
            if self._failed:
                log.info("refreshed again")
            self._confirmed = confirmed
            self._failed = False

    async def _vouched(self) -> float | None:
        return None if self._vouch is None or self._value is None else await self._vouch(self._value)

    def _usable(self) -> T:
        if self._value is None or self._clock() - self._confirmed >= self._cycle.bound:
            raise IssuerUnavailable("the authorization server cannot be reached; try again shortly")
        return self._value
