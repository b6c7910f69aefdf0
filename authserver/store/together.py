"""Calls that come together are committed together: one round trip and one commit for several (decision 27).

Most of what a short statement costs is what surrounds it: a round trip, a commit that waits for the disk, the threads
that wake for it. Whoever is alone waits for nobody.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final, Generic, TypeVar

from sqlalchemy.exc import DBAPIError

from ..observability.tally import Tally
from .driver import Found

MOST: Final = 16  # calls in one transaction
PATIENCE: Final = 0.05  # seconds after which a call goes by itself: what is before it is stuck
OPEN: Final[AbstractContextManager[Any]] = nullcontext()

Asked = TypeVar("Asked")


def _is_own(wrong: BaseException) -> bool:
    """Whether one of several may have failed by itself: then nothing was done. If a connection is lost, who knows."""
    is_lost = isinstance(wrong, DBAPIError) and wrong.connection_invalidated
    return isinstance(wrong, (DBAPIError, UnicodeEncodeError)) and not is_lost


class _Call(Generic[Asked]):
    """One that waits for its ``turn``: to go on with what another has done for it, or to lead a transaction itself."""

    __slots__ = ("apart", "asked", "failure", "found", "leads", "turn")

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.turn = threading.Lock()
        self.turn.acquire()
        self.leads = False
        self.found: Found | None = None
        self.failure: BaseException | None = None
        self.apart = False


class Together(Generic[Asked]):
    """The calls of one kind in one process."""

    def __init__(
        self,
        alone: Callable[[Asked], Found | None],
        several: Callable[[Sequence[Asked]], Sequence[Found | None]],
        sizes: Tally,
        *,
        order: Callable[[Asked], Any] | None = None,
        gate: AbstractContextManager[Any] = OPEN,
        patience: float | None = None,
        is_own: Callable[[BaseException], bool] = _is_own,
    ) -> None:
        """*alone* does what one call asks; *several* what many ask, in one transaction, or nothing if it fails.

        Calls go in the *order* of the rows that they lock, so that two transactions never wait for each other; None
        where there are no two. Whoever comes while a transaction waits at the *gate* goes with it. *patience* is in
        seconds, -1 without end. After an error that may be one call's own (*is_own*), each is done by itself; all
        others are every call's. *sizes* counts calls ``alone`` and ``together``.
        """
        self._alone = alone
        self._several = several
        self._order = order
        self._gate = gate
        self._patience = PATIENCE if patience is None else patience
        self._is_own = is_own
        self._sizes = sizes
        self._lock = threading.Lock()
        self._is_under_way = False
        self._waiting: list[_Call[Asked]] = []

    def do(self, asked: Asked) -> Found | None:
        """What there is for *asked*, committed when this returns. Raises what it raises alone."""
        call = self._queued(asked)
        if call is None:
            try:
                return self._by_itself(asked)
            finally:
                self._hand_on()
        if not call.leads and not call.turn.acquire(timeout=self._patience):
            if self._left(call):
                return self._by_itself(asked)
            call.turn.acquire()
        if call.leads:
            self._lead()
        if call.apart:
            return self._by_itself(asked)
        if call.failure:
            raise call.failure
        return call.found

    def _queued(self, asked: Asked) -> _Call[Asked] | None:
        """The call in the queue, which it leads if nothing is under way; None if it need not wait for anything."""
        with self._lock:
            if not self._is_under_way and self._gate is OPEN:
                self._is_under_way = True
                return None
            call = _Call(asked)
            self._waiting.append(call)
            if not self._is_under_way:
                self._is_under_way = call.leads = True
            return call

    def _left(self, call: _Call[Asked]) -> bool:
        """Whether *call* has left the queue: nobody had taken it along, nor handed on to it, yet."""
        with self._lock:
            if call.leads or call not in self._waiting:
                return False
            self._waiting.remove(call)
            return True

    def _taken(self) -> list[_Call[Asked]]:
        """All that wait, as many as go together; who leads is the first of them."""
        with self._lock:
            batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            return batch

    def _hand_on(self) -> None:
        """The transaction under way has ended: the first of those that wait sees to the next."""
        with self._lock:
            if not self._waiting:
                self._is_under_way = False
                return
            self._waiting[0].leads = True
            self._waiting[0].turn.release()

    def _lead(self) -> None:
        batch: list[_Call[Asked]] = []
        try:
            with self._gate:
                batch = self._taken()
                self._execute(batch)
        except BaseException as wrong:  # noqa: BLE001 - each of them raises it, or is done by itself
            batch = batch or self._taken()
            apart = len(batch) > 1 and self._is_own(wrong)
            for call in batch:
                call.apart, call.failure = apart, wrong
        finally:
            for call in batch[1:]:
                call.turn.release()
            self._hand_on()

    def _execute(self, batch: Sequence[_Call[Asked]]) -> None:
        if len(batch) == 1:
            self._sizes.add("alone")
            batch[0].found = self._alone(batch[0].asked)
            return
        if order := self._order:
            batch = sorted(batch, key=lambda call: order(call.asked))
        for call, found in zip(batch, self._several([call.asked for call in batch]), strict=True):
            call.found = found
        self._sizes.add("together", len(batch))

    def _by_itself(self, asked: Asked) -> Found | None:
        self._sizes.add("alone")
        with self._gate:
            return self._alone(asked)
