"""Signed lists of what counts no more, for every MCP server that looks (TK-10, draft-ietf-oauth-status-list-21).

Each resource has its own lists: status lists, cut in shards, of the families of refresh tokens, and one of the access
tokens that were revoked alone. They follow the state, so nobody has to tell them. Twice a second one request looks into
the database; all others are served what is signed. What has changed is signed anew, the rest at half its ``ttl``.
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
from ..protocol import status_list
from ..store.ended import EndedStore
from ..store.epoch import ConfigEpoch
from .ended_places import EndedPlaces, Place

LOOK_SECONDS = 0.5
FRAME_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class SignedList:
    """A list as it is served until ``until`` (Unix seconds). ``etag`` is of what it says, the same on every node."""

    typ: str
    body: bytes
    etag: str
    until: float


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
        self._signed: dict[Place, SignedList] = {}

    def claim(self, resource: str, position: int) -> dict[str, Any]:
        """The ``status`` claim of a token for *resource* whose family has *position*."""
        shard, index = self._numbering.place(resource, position)
        return status_list.reference(f"{self._base}{tag(resource)}/{shard}", index)

    def find(self, path: str) -> SignedList | None:
        """The list at *path* below ``/status/``, at most half a second old; None if there is none.

        Raises `sqlalchemy.exc.OperationalError` while the state cannot be read, and `keys.keyring.NoSigningKey`.
        """
        key, _, shard = path.partition("/")
        signed = self._signed.get((key, shard))
        if signed and time.monotonic() - self._looked < LOOK_SECONDS and time.time() < signed.until:
            return signed
        with self._lock:
            self._look()
            return self._serve((key, shard))

    def all(self) -> list[str]:
        """The URIs of all status lists (§9.3)."""
        with self._lock:
            self._look()
            return sorted(f"{self._base}{key}/{shard}" for key, shard in self._places.shards())

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return
        changed = self._places.look()
        for place in list(self._signed) if changed is None else changed:
            self._signed.pop(place, None)
        self._looked = now

    def _serve(self, place: Place) -> SignedList | None:
        if not self._places.has(place) and not self._appeared(place):
            return None
        signed = self._signed.get(place)
        if signed is None or time.time() >= signed.until:
            signed = self._signed[place] = self._sign(place)
        return signed

    def _appeared(self, place: Place) -> bool:
        """Whether a list that was not known a moment ago is there now: another node may have begun it."""
        if time.monotonic() - self._framed < FRAME_SECONDS:
            return False
        self._places.frame()
        self._framed = time.monotonic()
        return self._places.has(place)

    def _sign(self, place: Place) -> SignedList:
        key, shard = place
        now = time.time()
        content: dict[str, Any]
        if shard == status_list.REVOKED:
            revoked, changed_at = self._places.tokens(key)
            typ, content = status_list.REVOKED_TYPE, {"revoked": revoked}
        else:
            indexes, changed_at = self._places.indexes(place)
            typ, content = status_list.TYPE, {"status_list": status_list.encoded(indexes, SIZE)}
        at = status_list.issued_at(now, changed_at)
        claims = {**status_list.envelope(self._issuer, f"{self._base}{key}/{shard}", at), **content}
        kid = self._keyring.signing_kid(STATUS_ALGORITHM, Purpose.STATUS)
        said = hashlib.sha256(json.dumps([kid, claims]).encode()).hexdigest()
        body = self._keyring.sign(claims, typ=typ, alg=STATUS_ALGORITHM, purpose=Purpose.STATUS).encode()
        until = (now // status_list.RENEWED + 1) * status_list.RENEWED
        return SignedList(typ, body, f'W/"{said[:32]}"', until)
