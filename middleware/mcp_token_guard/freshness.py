"""A remote document kept at hand: renewed in time by one caller for all, and used on while its source is down.

Its words: a value is *due* when it has not been confirmed for ``interval`` seconds, and *stale*, which nobody may
use, after ``bound`` seconds. Under steady use a due value is renewed in the background and no request waits; after a
pause (a quarter of the interval more) the first request waits, so that nothing is judged by what was true long ago;
while the source is down it is asked every second and nobody waits.
"""

import logging
import os
import random
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from .background import finished, start
from .fetch import FetchError
from .refusals import IssuerUnavailable

T = TypeVar("T")
NEVER = float("-inf")
RETRY = 1.0
PATIENCE = 1.25

log = logging.getLogger("mcp_token_guard")


class KeptFresh(Generic[T]):
    """The newest value that *fetch* gave, for all threads and event loops of a process.

    ``fetch(previous)`` returns a value, the previous one itself when nothing has changed, and raises `FetchError`.
    ``interval`` and ``bound`` are in seconds of ``clock``.
    """

    def __init__(
        self,
        fetch: Callable[[T | None], Awaitable[T]],
        *,
        interval: float,
        bound: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        # Guards that began together do not all ask in the same moment for ever.
        self._interval = interval * random.uniform(0.95, 1)  # noqa: S311
        self._bound = bound
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
        now = self._clock()
        age = now - self._confirmed
        if age >= self._interval:
            self._know_process()
            if now - self._attempted >= (RETRY if self._failed else self._interval):
                self._start(now)
            if age >= self._bound or (age >= PATIENCE * self._interval and not self._failed):
                await self.settle()
        return self._usable()

    async def renew(self) -> T:
        """The value as the source has it now. Raises `IssuerUnavailable` like `current`."""
        self._know_process()
        self._start(self._clock())
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

    def _start(self, now: float) -> None:
        with self._starting:
            if self._renewal is None or self._renewal.done():
                self._attempted = now
                self._renewal = start(self._renew(now))

    async def _renew(self, now: float) -> None:
        try:
            self._value = await self._fetch(self._value)
        except (FetchError, IssuerUnavailable) as error:
            if not self._failed:
                log.warning("cannot refresh: %s", error)
            self._failed = True
        else:
            if self._failed:
                log.info("refreshed again")
            # The answer is as old as the question.
            self._confirmed = now
            self._failed = False

    def _usable(self) -> T:
        if self._value is None or self._clock() - self._confirmed >= self._bound:
            raise IssuerUnavailable("the authorization server cannot be reached; try again shortly")
        return self._value
