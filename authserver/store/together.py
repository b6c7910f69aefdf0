"""Calls that come together are committed together: one round trip and one commit for several (decision 27).

Most of what a short statement costs is what surrounds it: a round trip, a commit that waits for the disk, the threads
that wake for it. Whoever is alone waits for nobody.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from sqlalchemy.exc import DBAPIError

from ..observability.tally import Tally
from .driver import Found

MOST: Final = 16  # calls in one transaction
PATIENCE: Final = 0.05  # seconds after which a call goes by itself: what is before it is stuck

Parameters: TypeAlias = Mapping[str, Any]
Alone: TypeAlias = Callable[[Parameters], Found | None]
Several: TypeAlias = Callable[[Sequence[Parameters]], Sequence[Found | None]]


class _Call:
    """One that waits for its ``turn``: to go on with what another has done for it, or to lead a ``batch`` itself."""

    __slots__ = ("apart", "batch", "failure", "found", "parameters", "turn")

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.turn = threading.Lock()
        self.turn.acquire()
        self.batch: list[_Call] = []
        self.found: Found | None = None
        self.failure: BaseException | None = None
        self.apart = False


class Together:
    """The calls of one statement in one process."""

    def __init__(self, alone: Alone, several: Several, by: Sequence[str], sizes: Tally) -> None:
        """*alone* executes the statement for one call; *several* for many in one transaction, or for none if it fails.

        *by* names the parameters that tell which rows a call locks: calls go in their order, so that two transactions
        never wait for each other. *sizes* counts calls ``alone`` and ``together``.
        """
        self._alone = alone
        self._several = several
        self._by = tuple(by)
        self._sizes = sizes
        self._lock = threading.Lock()
        self._is_under_way = False
        self._waiting: list[_Call] = []

    def one_row(self, parameters: Parameters) -> Found | None:
        """The first row for *parameters*, committed when this returns. Raises what the statement raises alone."""
        call = self._queued(parameters)
        if call is None:
            try:
                return self._by_itself(parameters)
            finally:
                self._hand_on()
        if not call.turn.acquire(timeout=PATIENCE):
            if self._left(call):
                return self._by_itself(parameters)
            call.turn.acquire()
        if call.batch:
            self._lead(call.batch)
        if call.apart:
            return self._by_itself(parameters)
        if call.failure:
            raise call.failure
        return call.found

    def _queued(self, parameters: Parameters) -> _Call | None:
        """The call in the queue; None if it need not wait."""
        with self._lock:
            if not self._is_under_way:
                self._is_under_way = True
                return None
            call = _Call(parameters)
            self._waiting.append(call)
            return call

    def _left(self, call: _Call) -> bool:
        """Whether *call* has left the queue: nobody had taken it along yet."""
        with self._lock:
            if call not in self._waiting:
                return False
            self._waiting.remove(call)
            return True

    def _hand_on(self) -> None:
        """The transaction under way has ended: all that wait go in the next, and the first of them sees to it."""
        with self._lock:
            batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            if not batch:
                self._is_under_way = False
                return
        batch[0].batch = batch
        batch[0].turn.release()

    def _lead(self, batch: Sequence[_Call]) -> None:
        try:
            self._execute(batch)
        except DBAPIError as wrong:
            # Where one of several has failed, nothing was done. If the connection was lost, nobody knows.
            apart = len(batch) > 1 and not wrong.connection_invalidated
            for call in batch:
                call.apart, call.failure = apart, wrong
        except BaseException as wrong:  # noqa: BLE001 - each of them raises it
            for call in batch:
                call.failure = wrong
        finally:
            for call in batch[1:]:
                call.turn.release()
            self._hand_on()

    def _execute(self, batch: Sequence[_Call]) -> None:
        if len(batch) == 1:
            batch[0].found = self._by_itself(batch[0].parameters)
            return
        batch = sorted(batch, key=self._place)
        for call, found in zip(batch, self._several([call.parameters for call in batch]), strict=True):
            call.found = found
        self._sizes.add("together", len(batch))

    def _place(self, call: _Call) -> list[tuple[bool, Any]]:
        values = [call.parameters[name] for name in self._by]
        return [(value is not None, value) for value in values]

    def _by_itself(self, parameters: Parameters) -> Found | None:
        self._sizes.add("alone")
        return self._alone(parameters)
