"""Streams: the sealed trail is sent on as it grows, to each target at least once, by one process at a time.

The place up to which a target took it is in the database, and moves on only after the target took a batch. Who dies
between the two leaves a lease that ends, and the next one sends that batch again: each event has an ``id`` to know it
by.
"""

import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

import structlog

from ...protocol.audit_seal import Recorded
from ...store.seals import SealStore
from ...store.streams import StreamStore
from ...store.trail import TrailStore
from .formats import json_line, plain_json
from .targets import NotTaken, Target, TooMuch

BATCH = 100
BATCH_BYTES = 256 * 1024  # what stands before webhooks often takes a megabyte at the most
LEFT_OUT = "left_out_bytes"
LEASE_SECONDS = 60  # longer than any target may take for a batch
SECONDS_AFTER_FAILURE = (1.0, 60.0)  # doubled from the first to the second
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Streams:
    """Sends to each of *targets*, in a thread of its own, so that none waits for another. ``pause`` is in seconds."""

    trail: TrailStore
    seals: SealStore
    streams: StreamStore
    targets: tuple[Target, ...] = ()
    pause: float = 1.0
    holder: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    _sizes: dict[str, int] = field(default_factory=dict)

    def start(self) -> threading.Event:
        """Send in daemon threads until the returned event is set."""
        stop = threading.Event()
        for target in self.targets:
            threading.Thread(target=self._run, args=(target, stop), name=f"audit-{target.name}", daemon=True).start()
        return stop

    def deliver(self, target: Target) -> int:
        """Send one batch to *target*; returns how many events it took. 0 if it has all, or another process sends.

        What is too much for it is sent in smaller batches, and an event that is by itself without its detail.
        Raises `NotTaken`; the same batch is sent again next time.
        """
        head = self.seals.head()
        if head is None or not self.streams.waits(target.name, self.holder, head.last):
            return 0
        after = self.streams.claim(target.name, self.holder, LEASE_SECONDS)
        batch = [] if after is None else _bounded(self.trail.page(after, head.last, BATCH))
        if not batch:
            return 0
        try:
            batch = self._sent(target, batch)
        except NotTaken as refused:
            self.streams.fail(target.name, self.holder, str(refused))
            raise
        return len(batch) if self.streams.advance(target.name, self.holder, batch[-1].place) else 0

    def _sent(self, target: Target, batch: Sequence[Recorded]) -> Sequence[Recorded]:
        """Have *target* take *batch*, or as much of its beginning as it takes at once; returns what it took.

        How much that is, is tried for a part of the lease, and remembered for the next round.
        """
        end = time.monotonic() + LEASE_SECONDS / 2
        batch = batch[: self._sizes.get(target.name, BATCH)]
        while True:
            try:
                target.take(batch)
            except TooMuch:
                less = batch[: len(batch) // 2] or [_without_detail(batch[0])]
                self._sizes[target.name] = len(less)
                if less == batch or time.monotonic() > end:
                    raise
                batch = less
            else:
                self._sizes[target.name] = min(BATCH, 2 * len(batch))
                return batch

    def _run(self, target: Target, stop: threading.Event) -> None:
        first, longest = SECONDS_AFTER_FAILURE
        failures = 0
        while not stop.wait(min(longest, first * 2.0 ** (failures - 1)) if failures else self.pause):
            try:
                while self.deliver(target) and not stop.is_set():
                    failures = 0
            except NotTaken as refused:
                failures = min(failures + 1, 10)
                log.warning("the audit trail was not taken", target=target.name, reason=str(refused), failures=failures)
            except Exception:
                failures = min(failures + 1, 10)
                log.exception("streaming the audit trail failed; trying again later", target=target.name)
            else:
                failures = 0


def _bounded(batch: Sequence[Recorded]) -> Sequence[Recorded]:
    """The first of *batch* that are `BATCH_BYTES` together at the most, or one."""
    sizes = accumulate(len(json_line(recorded)) for recorded in batch)
    return batch[: max(1, sum(size <= BATCH_BYTES for size in sizes))]


def _without_detail(recorded: Recorded) -> Recorded:
    detail = recorded.event.detail
    left_out = detail if LEFT_OUT in detail else {LEFT_OUT: len(plain_json(detail))}
    return recorded._replace(event=recorded.event._replace(detail=left_out))
