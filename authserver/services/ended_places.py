"""What has ended, sorted by the lists that tell it, and followed look by look. Used by one thread at a time."""

import math
import time
from collections.abc import Iterable

from ..keys.numbering import Numbering, tag
from ..protocol.status_list import REVOKED
from ..store.ended import LATELY, Ended, EndedStore
from ..store.epoch import ConfigEpoch

Place = tuple[str, str]
"""A list, as its URL names it: the resource's tag, and a shard in digits or ``revoked``."""

RECENT_SECONDS = 120
"""How far back each look goes: longer than a transaction takes from what it writes to its commit."""

WHOLE_SECONDS = 300
"""After how long all is read again: what took longer still, and what is too old to matter."""

NEVER = float("-inf")


class EndedPlaces:
    """The state behind the lists; `look` reads on, in two short queries where nothing has changed."""

    def __init__(self, store: EndedStore, epoch: ConfigEpoch, numbering: Numbering) -> None:
        """*epoch* moves when a client is suspended, a resource comes or goes, or keys change."""
        self._store = store
        self._epoch = epoch
        self._numbering = numbering
        self._seen_epoch = -1
        self._whole_at = NEVER
        self._looked_at = NEVER
        self._booted_at = NEVER
        self._seen: set[int] = set()
        self._shards: set[Place] = set()
        self._ended: dict[Place, dict[int, int]] = {}
        self._suspended: dict[Place, dict[int, int]] = {}
        self._tokens: dict[str, dict[str, int]] = {}

    def look(self) -> set[Place] | None:
        """Read what is new; returns the lists that have changed, or None for all of them.

        It reads back to the look before, however long ago that was. After one that broke off, all is read again.
        """
        began = time.monotonic()
        epoch = self._epoch.current(max_age=0)
        whole_at, self._whole_at = self._whole_at, NEVER
        whole = began - whole_at >= WHOLE_SECONDS
        if whole:
            self._booted_at = self._store.clock() - began
        within = LATELY if whole else RECENT_SECONDS + math.ceil(began - self._looked_at)
        changed = self._read(within, whole=whole, moved=epoch != self._seen_epoch)
        self._whole_at = began if whole else whole_at
        self._seen_epoch, self._looked_at = epoch, began
        return changed

    def clock(self) -> float:
        """The database's time (Unix seconds) by what it was at the last look at all: the same on every node."""
        return self._booted_at + time.monotonic()

    def frame(self) -> None:
        """Find out which lists there are."""
        tags = {tag(name): name for name in self._store.resources()}
        reach = self._store.reach()
        self._shards = {
            (key, str(shard)) for key, name in tags.items() for shard in self._numbering.shards(name, reach)
        }

    def shards(self) -> set[Place]:
        """All status lists; those of a resource that is gone as long as somebody may have a token for it."""
        return self._shards | self._ended.keys()

    def of(self, resource_tag: str) -> list[str]:
        """The last parts of the URIs of all lists of a resource; none of one that has none."""
        found = [shard for key, shard in self.shards() if key == resource_tag]
        return [*found, REVOKED] if found else []

    def indexes(self, place: Place) -> tuple[set[int], int]:
        """The invalid indexes of a status list, and when the last one became so for good (Unix seconds)."""
        ended = self._ended.get(place, {})
        return ended.keys() | self._suspended.get(place, {}).keys(), max(ended.values(), default=0)

    def tokens(self, resource_tag: str) -> tuple[list[str], int]:
        """The ids of the single tokens that are revoked, and when the last one was."""
        revoked = self._tokens.get(resource_tag, {})
        return sorted(revoked), max(revoked.values(), default=0)

    def _read(self, within: int, *, whole: bool, moved: bool) -> set[Place] | None:
        if whole:
            self._seen, self._ended = set(), {}
        changed = self._read_ended(within) | self._read_tokens()
        if not (moved or whole):
            return changed
        self._suspended = self._sorted(self._store.suspended())
        self.frame()
        return None

    def _read_ended(self, within: int) -> set[Place]:
        new = [ended for ended in self._store.positions(within) if ended.position not in self._seen]
        self._seen.update(ended.position for ended in new)
        found = self._sorted(new)
        for place, indexes in found.items():
            self._ended.setdefault(place, {}).update(indexes)
        return set(found)

    def _read_tokens(self) -> set[Place]:
        found: dict[str, dict[str, int]] = {}
        for token in self._store.tokens():
            found.setdefault(tag(token.resource), {})[token.jti] = token.at
        before, self._tokens = self._tokens, found
        return {(key, REVOKED) for key in before.keys() | found.keys() if before.get(key) != found.get(key)}

    def _sorted(self, ended: Iterable[Ended]) -> dict[Place, dict[int, int]]:
        found: dict[Place, dict[int, int]] = {}
        for each in ended:
            shard, index = self._numbering.place(each.resource, each.position)
            found.setdefault((tag(each.resource), str(shard)), {})[index] = each.at
        return found
