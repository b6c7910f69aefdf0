"""Seals of the audit trail: the order of its events, the bytes that stand for each, and what a seal states.

An event's *place* is the transaction that wrote it and its number. A *batch* is the events between two places, and its
*seal* a signed statement of how many there are, the digest of them, and the digest of the seal before.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from .audit import Event
from .credential import base64url

SEAL_TYPE = "audit-seal+jwt"
DROP_TYPE = "audit-drop+jwt"
ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


class Place(NamedTuple):
    """Where an event stands in the trail. No event comes to stand before a place that was sealed."""

    xid: int
    id: int


START = Place(-(2**63), -(2**63))
"""Before every place that a database can hold, though the server counts from 0: others may have written there."""


class Recorded(NamedTuple):
    """An event at its place; ``at_ms`` is in Unix milliseconds."""

    place: Place
    at_ms: int
    event: Event

    def members(self) -> dict[str, Any]:
        """All that is recorded, flat, as exports and streams have it."""
        about = self.event
        return {
            "id": f"{self.place.xid}-{self.place.id}",
            "at_ms": self.at_ms,
            "name": about.name,
            "actor": about.actor,
            "user_id": about.user_id,
            "client_id": about.client_id,
            "resource": about.resource,
            "grant_id": about.grant_id,
            "outcome": about.outcome,
            "address": about.origin.address,
            "correlation_id": about.origin.correlation_id,
            "detail": about.detail,
        }


def canonical(recorded: Recorded) -> bytes:
    """The bytes that stand for *recorded* in digests: one line of JSON in ASCII, members in order of their names."""
    return ENCODER.encode(recorded.members()).encode() + b"\n"


class Digest:
    """The digest of a batch, event by event in order."""

    def __init__(self) -> None:
        """Nothing so far."""
        self.rows = 0
        self._sum = hashlib.sha256()

    def add(self, recorded: Recorded) -> None:
        """Take in the next event."""
        self.rows += 1
        self._sum.update(canonical(recorded))

    def value(self) -> str:
        """The SHA-256 of all that was taken in, base64url."""
        return base64url(self._sum.digest())


class Events:
    """The events in order, taken up to one place after another."""

    def __init__(self, events: Iterable[Recorded]) -> None:
        """None was taken so far."""
        self._events = iter(events)
        self._next = next(self._events, None)

    def skip(self, until: Place) -> int:
        """How many there are up to *until*."""
        return sum(1 for _ in self._until(until))

    def digest(self, until: Place) -> Digest:
        """The digest of those up to *until*."""
        found = Digest()
        for recorded in self._until(until):
            found.add(recorded)
        return found

    def _until(self, place: Place) -> Iterator[Recorded]:
        while self._next and self._next.place <= place:
            yield self._next
            self._next = next(self._events, None)


@dataclass(frozen=True, slots=True)
class Statement:
    """What a seal states of its batch. ``previous`` is the digest of the seal before, empty for the first."""

    number: int
    previous: str
    rows: int
    digest: str
    first_xid: int
    first_id: int
    last_xid: int
    last_id: int
    from_ms: int
    to_ms: int
    iat: int

    @property
    def first(self) -> Place:
        """The place of the batch's first event."""
        return Place(self.first_xid, self.first_id)

    @property
    def last(self) -> Place:
        """The place of the batch's last event."""
        return Place(self.last_xid, self.last_id)

    def claims(self) -> dict[str, Any]:
        """The claims to sign."""
        return asdict(self)

    @classmethod
    def of(cls, claims: Mapping[str, Any]) -> "Statement | None":
        """What *claims* state; None if they are not of a seal."""
        try:
            return cls(**claims)
        except TypeError:
            return None


def statement(number: int, previous: str, batch: Iterable[Recorded], iat: int) -> Statement:
    """The statement of seal *number* over *batch*, in order and not empty, made at *iat* (Unix seconds)."""
    events, digest = [], Digest()
    for recorded in batch:
        digest.add(recorded)
        events.append(recorded)
    times = [recorded.at_ms for recorded in events]
    places = (*events[0].place, *events[-1].place)
    return Statement(number, previous, digest.rows, digest.value(), *places, min(times), max(times), iat)


def seal_digest(signed: str) -> str:
    """What the next seal says of this one."""
    return base64url(hashlib.sha256(signed.encode()).digest())
