"""Rules over the state of this server: whether the trail is sealed, and whether its targets and notices get there."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...protocol.alert import AlertKind
from ...protocol.audit_seal import START
from ...store.alerts import Alert
from ...store.notices import NoticeStore
from ...store.seals import SealStore
from ...store.streams import StreamStore
from ...store.trail import TrailStore

DAY = 86_400
TRIES = 5  # of a message, some minutes


@dataclass(frozen=True, slots=True)
class StateRules:
    """Looks at how things stand. ``targets`` are those of the audit trail; times are in seconds."""

    trail: TrailStore
    seals: SealStore
    streams: StreamStore
    notices: NoticeStore
    targets: Sequence[str]
    unsealed_after: int
    down_after: int

    def alerts(self) -> Iterator[Alert]:
        """What is wrong now."""
        now = int(time.time())
        yield from self._unsealed(now)
        yield from self._streams(now)
        yield from self._notices(now)

    def _unsealed(self, now: int) -> Iterator[Alert]:
        head = self.seals.head()
        since = self.trail.waits_since(head.last if head else START)
        if since is not None and now - since // 1000 >= self.unsealed_after:
            yield Alert(AlertKind.TRAIL_UNSEALED, "", occasion=str(now // DAY), detail={"since": since // 1000})

    def _streams(self, now: int) -> Iterator[Alert]:
        for stream in self.streams.all():
            if stream.target not in self.targets or stream.failure is None:
                continue
            since = self.trail.waits_since(stream.last)
            if since is not None and now - since // 1000 >= self.down_after:
                detail = {"target": stream.target, "since": since // 1000, "failure": stream.failure}
                yield Alert(AlertKind.STREAM_DOWN, "", occasion=f"{stream.target} {now // DAY}", detail=detail)

    def _notices(self, now: int) -> Iterator[Alert]:
        for message in self.notices.undelivered():
            if message.failure is not None and message.tries >= TRIES:
                detail = {"target": message.target, "failure": message.failure}
                occasion = f"{message.target} {now // DAY}"
                yield Alert(AlertKind.NOTICES_UNDELIVERED, "", occasion=occasion, detail=detail)


def broken(seal: int, finding: str) -> Alert:
    """A verification of the trail found something wrong, first at *seal*."""
    detail = {"seal": seal, "finding": finding}
    return Alert(AlertKind.TRAIL_BROKEN, "", occasion=str(int(time.time()) // DAY), detail=detail)
