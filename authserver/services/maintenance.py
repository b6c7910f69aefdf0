"""What each worker does beside answering: erase sealed successors at their window's end, end and purge what expired.

Registrations that nobody uses go with it, and so does what waited for a decision too long; what the console tells is
counted; keys that signed long enough are rotated.
"""

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TypeVar

import structlog

from ..keys.rotation import Rotation
from ..protocol.audit import Event
from ..settings import Settings
from ..store.failures import UNAVAILABLE, reason
from ..store.forgetting import ended_for
from ..store.purge import Purged, purge_all
from ..store.stores import Stores
from .approvals.queue import Approvals
from .mass_revocation import end_rest
from .reaper import Reaper

BATCH = 1000
FEW = 100  # grants, each with all that hangs on it and an event
DAY = 86_400
ROUNDS_PER_PURGE = 4
SECONDS_PER_PURGE = 10.0  # then the sweep has its turn; what is left is purged in the next round
Step = Callable[[], object]
Value = TypeVar("Value")
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """Seconds for which what has expired is kept, receipts of tool calls, and grants that ended: see `purge_all`."""

    grace: int
    receipts_for: int
    ended_for: int

    @classmethod
    def of(cls, settings: Settings) -> "Kept":
        """As *settings* say."""
        grace = max(settings.expired_kept_for, settings.access_token_lifetime)
        return cls(grace, settings.tool_receipt_retention, ended_for(settings.refresh_family_lifetime, grace))


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Sweeps in bounded batches.

    ``window`` is the lost-answer window, ``pause`` the time between rounds, in seconds. ``purged`` is told what each
    purge did.

    Every worker of every node sweeps: each statement is idempotent, and finds nothing when another was faster. One of
    them purges at a time.
    """

    stores: Stores
    window: int
    reaper: Reaper
    approvals: Approvals
    rotation: Rotation
    kept: Kept
    pause: float = 15.0
    purged: Callable[[Purged], None] | None = None

    def start(self) -> threading.Event:
        """Sweep in a daemon thread until the returned event is set."""
        stop = threading.Event()
        threading.Thread(target=self._run, args=(stop,), name="maintenance", daemon=True).start()
        return stop

    def sweep(self) -> None:
        """Erase the sealed successors whose window has ended (TK-4), and end the grants whose time has come.

        So end those of people who were locked out with more than end at once, whatever became of who began that.
        """
        self._erase()
        self._expire()
        self._end_rest()

    def _erase(self) -> None:
        while self.stores.refresh_tokens.erase_sealed(self.window, BATCH) == BATCH:
            pass

    def _expire(self) -> None:
        while self.stores.grants.expire(FEW) == FEW:
            pass

    def _end_rest(self) -> None:
        for user_id in self.stores.users.ending(FEW):
            end_rest(self.stores.users, user_id, Event("grants.revoked", "system"), DAY)

    def purge(self, stop: threading.Event) -> Purged:
        """Delete what expired, for some seconds at most, or until *stop* is set; says in the log what it did."""
        done = purge_all(
            self.stores.database,
            BATCH,
            **asdict(self.kept),
            seconds=SECONDS_PER_PURGE,
            wait=stop.wait,
        )
        if self.purged is not None:
            self.purged(done)
        if gone := {table: rows for table, rows in done.rows.items() if rows}:
            log.info("purged", rows=gone, seconds=round(done.seconds, 3), left=done.left)
        if done.failed:
            log.error("maintenance failed; trying again later", step="purge", private=done.failed)
        return done

    def _run(self, stop: threading.Event) -> None:
        each_round: dict[str, Step] = {
            "erase sealed successors": self._erase,
            "end grants": self._expire,
            "end what locked-out people held": self._end_rest,
            "reap registrations": lambda: self.reaper.reap(stop.wait),
            "count": self.stores.tallies.recount,
            "rotate keys": self.rotation.keep_up,
        }
        rounds, left = 0, False
        while not stop.wait(self.pause):
            for name, step in each_round.items():
                _take(name, step)
            if left or rounds % ROUNDS_PER_PURGE == 0:
                done = _take("purge", lambda: self.purge(stop))
                left = done is not None and done.left
            if rounds % ROUNDS_PER_PURGE == 0:
                _take("expire approvals", self.approvals.expire)
            rounds += 1


def _take(name: str, step: Callable[[], Value]) -> Value | None:
    """What *step* returns; None if it failed, which keeps none of the others back."""
    try:
        return step()
    except UNAVAILABLE as problem:
        log.error("maintenance failed; trying again later", step=name, private=reason(problem))  # noqa: TRY400 - where, is known
    except Exception:
        log.exception("maintenance failed; trying again later", step=name)
    return None
