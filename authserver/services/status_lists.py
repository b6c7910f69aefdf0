"""Signed lists of what counts no more, for every MCP server that looks (TK-10, draft-ietf-oauth-status-list-21).

Each resource has its own lists: status lists, cut in shards, of the families of refresh tokens, and one of the access
tokens that were revoked alone. They follow the state, so nobody has to tell them. Twice a second one request looks into
the database; all others are served what is made. What has changed is made anew, the rest at half its ``ttl``. A summary
for each resource tells guards whether they have anything to ask.
"""

import hashlib
import json
import threading
import time
from dataclasses import dataclass
from typing import Any

from ..keys.keyring import Keyring
from ..keys.numbering import SIZE, Numbering, tag
from ..keys.ports import Purpose
from ..keys.rotation import STATUS_ALGORITHM
from ..observability.tally import Tally
from ..protocol import status_list
from ..store.ended import EndedStore
from ..store.epoch import ConfigEpoch
from .ended_places import EndedPlaces, Place

LOOK_SECONDS = 0.5
FRAME_SECONDS = 0.1
SUMMARY = ""
"""Stands for the summary where lists have their shard."""


@dataclass(frozen=True, slots=True)
class Served:
    """A document as it is served until ``until`` (Unix seconds, by the database's clock).

    ``etag`` is of what it says, the same on every node. ``version`` is that of a list's content.
    """

    media_type: str
    body: bytes
    etag: str
    until: float
    version: str = ""


class StatusLists:
    """The lists of one deployment, shared by all threads of a process."""

    def __init__(
        self, issuer: str, ended: EndedStore, epoch: ConfigEpoch, keyring: Keyring, numbering: Numbering
    ) -> None:
        self._issuer = issuer
        self._base = status_list.base(issuer)
        self._keyring = keyring
        self._numbering = numbering
        self._places = EndedPlaces(ended, epoch, numbering)
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._framed = float("-inf")
        self._served: dict[Place, Served] = {}
        self._kids: tuple[str, ...] = ()
        self.unchanged = Tally()

    def claim(self, resource: str, position: int) -> dict[str, Any]:
        """The ``status`` claim of a token for *resource* whose family has *position*."""
        shard, index = self._numbering.place(resource, position)
        return status_list.reference(f"{self._base}{tag(resource)}/{shard}", index)

    def find(self, path: str) -> Served | None:
        """The list at *path* below ``/status/``, or the summary of a resource's; at most half a second old.

        None if there is none. Raises `sqlalchemy.exc.OperationalError` while the state cannot be read, and
        `keys.keyring.NoSigningKey`.
        """
        if served := self.at_hand(path):
            return served
        place, asked = _place(path), time.monotonic()
        with self._lock:
            self._look(asked)
            return self._current(place) if place and self._exists(place) else None

    def at_hand(self, path: str) -> Served | None:
        """What `find` gives, where that takes no look into the database."""
        place = _place(path)
        # In this order: what another thread's look has thrown away meanwhile must not pass for what it has seen.
        fresh = time.monotonic() - self._looked < LOOK_SECONDS
        served = self._served.get(place) if fresh and place else None
        return served if served and self._places.clock() < served.until else None

    def all(self) -> list[str]:
        """The URIs of all status lists (§9.3)."""
        asked = time.monotonic()
        with self._lock:
            self._look(asked)
            return sorted(f"{self._base}{key}/{shard}" for key, shard in self._places.shards())

    def sizes(self) -> tuple[int, int]:
        """How many lists this process has signed and keeps, and the bytes of the largest."""
        lists = [len(served.body) for (_, shard), served in [*self._served.items()] if shard != SUMMARY]
        return len(lists), max(lists, default=0)

    def _look(self, asked: float) -> None:
        """Know what was half a second before it was *asked*: one slow look is enough for all that wait for it."""
        if asked - self._looked < LOOK_SECONDS:
            return
        now = time.monotonic()
        changed, kids = self._seen()
        if changed is None or kids != self._kids:
            self._served, self._kids = {}, kids
        for key, shard in changed or ():
            self._served.pop((key, shard), None)
            self._served.pop((key, SUMMARY), None)
        self._looked = now

    def _seen(self) -> tuple[set[Place] | None, tuple[str, ...]]:
        try:
            return self._places.look(), self._keyring.kids()
        except Exception:
            self._served = {}  # part of what is new may have been read, and will not be called new again
            raise

    def _exists(self, place: Place) -> bool:
        """Whether there is such a document; another node may have begun a list a moment ago."""
        if not self._known(place) and time.monotonic() - self._framed >= FRAME_SECONDS:
            self._places.frame()
            self._framed = time.monotonic()
            self._served.pop((place[0], SUMMARY), None)
        return self._known(place)

    def _known(self, place: Place) -> bool:
        key, shard = place
        lists = self._places.of(key)
        return shard in lists or (shard == SUMMARY and bool(lists))

    def _current(self, place: Place) -> Served:
        served = self._served.get(place)
        if served is None or self._places.clock() >= served.until:
            key, shard = place
            served = self._served[place] = self._summary(key) if shard == SUMMARY else self._sign(key, shard)
        return served

    def _summary(self, key: str) -> Served:
        lists = {shard: self._current((key, shard)) for shard in self._places.of(key)}
        said = status_list.summary(self._kids, {shard: served.version for shard, served in lists.items()})
        body = json.dumps(said).encode()
        etag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
        return Served("application/json", body, etag, min(served.until for served in lists.values()))

    def _sign(self, key: str, shard: str) -> Served:
        now = self._places.clock()
        content: dict[str, Any]
        if shard == status_list.REVOKED:
            revoked, changed_at = self._places.tokens(key)
            typ, content = status_list.REVOKED_TYPE, {"revoked": revoked}
        else:
            indexes, changed_at = self._places.indexes((key, shard))
            typ, content = status_list.TYPE, {"status_list": status_list.encoded(indexes, SIZE)}
        version = status_list.version(content)
        at = status_list.issued_at(now, changed_at)
        envelope = status_list.envelope(self._issuer, f"{self._base}{key}/{shard}", at)
        claims = {**envelope, status_list.VERSION: version, **content}
        kid = self._keyring.signing_kid(STATUS_ALGORITHM, Purpose.STATUS)
        said = hashlib.sha256(json.dumps([kid, claims]).encode()).hexdigest()
        body = self._keyring.sign(claims, typ=typ, alg=STATUS_ALGORITHM, purpose=Purpose.STATUS).encode()
        until = (now // status_list.RENEWED + 1) * status_list.RENEWED
        return Served(f"application/{typ}", body, f'W/"{said[:32]}"', until, version)


def _place(path: str) -> Place | None:
    key, slash, shard = path.partition("/")
    return None if slash and not shard else (key, shard)
