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
    """Looks at how things stand. ``targets`` are those of the audit trail, ``told`` those of notices; in seconds."""

    trail: TrailStore
    seals: SealStore
    streams: StreamStore
    notices: NoticeStore
    targets: Sequence[str]
    told: Sequence[str]
    unsealed_after: int
    down_after: int

    def alerts(self) -> Iterator[Alert]:
        """What is wrong now."""
        today = str(int(time.time()) // DAY)
        yield from self._unsealed(today)
        yield from self._streams(today)
        yield from self._notices(today)

    def _unsealed(self, today: str) -> Iterator[Alert]:
        head = self.seals.head()
        waiting = self.trail.first_behind(head.last if head else START)
        if waiting and waiting.for_ms >= self.unsealed_after * 1000:
            yield Alert(AlertKind.TRAIL_UNSEALED, "", occasion=today, detail={"since": waiting.since_ms // 1000})

    def _streams(self, today: str) -> Iterator[Alert]:
        for stream in self.streams.all():
            if stream.target not in self.targets or stream.failure is None:
                continue
            waiting = self.trail.first_behind(stream.last)
            if waiting and waiting.for_ms >= self.down_after * 1000:
                detail = {"target": stream.target, "since": waiting.since_ms // 1000, "failure": stream.failure}
                yield Alert(AlertKind.STREAM_DOWN, "", occasion=f"{stream.target} {today}", detail=detail)

    def _notices(self, today: str) -> Iterator[Alert]:
        for message in self.notices.undelivered():
            if message.target in self.told and message.failure is not None and message.tries >= TRIES:
                detail = {"target": message.target, "failure": message.failure}
                yield Alert(AlertKind.NOTICES_UNDELIVERED, "", occasion=f"{message.target} {today}", detail=detail)


def broken(seal: int, finding: str) -> Alert:
    """A verification of the trail found something wrong, first at *seal*."""
    detail = {"seal": seal, "finding": finding}
    return Alert(AlertKind.TRAIL_BROKEN, "", occasion=str(int(time.time()) // DAY), detail=detail)
