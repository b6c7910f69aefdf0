"""What waits for an administrator: each matter that the server can see by itself, and none where all is well."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ..keys.life import State, state
from ..keys.ports import Purpose
from ..keys.rotation import Rotation
from ..protocol.audit_seal import START
from ..protocol.tool import Mark
from ..store.overview import MOST, Waiting, waiting
from ..store.stores import Stores

DAY = 86_400
KEY_DAYS = 90  # after which a key that signs is due to be rotated, where that is done by hand
SEALED_WITHIN_MS = 60_000  # a healthy server seals within a second or two
MANY_UNUSED = 1000


class Matter(StrEnum):
    """What a concern is about."""

    TRAIL_MOVED = "trail_moved"
    UNSEALED = "unsealed"
    STREAM = "stream"
    KEYS_LACKING = "keys_lacking"
    KEYS_DUE = "keys_due"
    APPROVALS = "approvals"
    DOCUMENTS = "documents"
    REQUESTS = "requests"
    TOOLS = "tools"
    ALERTS = "alerts"
    ATTEMPTS = "attempts"
    UNUSED = "unused"


@dataclass(frozen=True, slots=True)
class Concern:
    """A matter, and how much of it there is: a number of things, or of days for `KEYS_DUE`, seconds for `UNSEALED`.

    ``more``: counting ended there. ``about`` names what it concerns, for `STREAM` and `TOOLS`.
    """

    matter: Matter
    number: int
    more: bool = False
    about: str = ""


@dataclass(frozen=True, slots=True)
class Attention:
    """Looks for concerns, by a few queries that do not grow.

    ``most_unused`` is the ceiling of unused registrations, ``targets`` are those of the audit trail.
    """

    stores: Stores
    rotation: Rotation
    most_unused: int
    targets: Sequence[str]

    def concerns(self) -> tuple[Concern, ...]:
        """What somebody should look at, the most pressing first."""
        return (*self._of_the_trail(), *self._of_keys(), *self._of_what_waits())

    def _of_the_trail(self) -> Iterator[Concern]:
        if self.stores.seals.moved():
            yield Concern(Matter.TRAIL_MOVED, 1)
        head = self.stores.seals.head()
        waiting = self.stores.trail.first_behind(head.last if head else START)
        if waiting and waiting.for_ms > SEALED_WITHIN_MS:
            yield Concern(Matter.UNSEALED, waiting.for_ms // 1000)
        for stream in self.stores.streams.all():
            if stream.failure and stream.target in self.targets:
                yield Concern(Matter.STREAM, 1, about=stream.target)

    def _of_keys(self) -> Iterator[Concern]:
        lacking, now = self.rotation.lacking(), time.time()
        if lacking:
            yield Concern(Matter.KEYS_LACKING, len(lacking))
        signing = [key for key in self.stores.keys.all() if state(key, int(now)) is State.SIGNING]
        since = min((key.signs_from or 0 for key in signing if key.purpose == Purpose.TOKENS), default=now)
        if now - since >= (self.rotation.every + DAY if self.rotation.every else KEY_DAYS * DAY):
            yield Concern(Matter.KEYS_DUE, int(now - since) // DAY)

    def _of_what_waits(self) -> Iterator[Concern]:
        found = waiting(self.stores.database)
        yield from _counted(found, Matter.APPROVALS, Matter.DOCUMENTS, Matter.REQUESTS)
        for resource in self.stores.resources.all():
            tools = sum(tool.mark in (Mark.NEW, Mark.CHANGED) for tool in resource.tools)
            if tools:
                yield Concern(Matter.TOOLS, tools, about=resource.identifier)
        yield from _counted(found, Matter.ALERTS, Matter.ATTEMPTS)
        if found.unused >= min(MANY_UNUSED, self.most_unused * 3 // 4):
            yield from _counted(found, Matter.UNUSED)


def _counted(found: Waiting, *matters: Matter) -> Iterator[Concern]:
    for matter in matters:
        number: int = getattr(found, matter)
        if number:
            yield Concern(matter, number, number >= MOST)
