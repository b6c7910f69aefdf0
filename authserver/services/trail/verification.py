"""Verification: the trail is read from its beginning and held against its seals, a page at a time.

A seal that is gone leaves a gap in the numbers and breaks the chain of digests; an event that is changed, gone, added
or moved gives its batch another digest. What was cut off the end whole, seals and all, shows by a target that took
more, or by the digest of a seal that was noted elsewhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ...keys.keyring import Keyring
from ...keys.ports import Purpose
from ...protocol.audit_seal import DROP_TYPE, SEAL_TYPE, START, Digest, Events, Place, Statement, seal_digest
from ...store.sealed import Seal
from ...store.seals import SealStore
from ...store.streams import StreamStore
from ...store.trail import Tail, TrailStore
from .withdrawn_keys import WithdrawnKeys

LATE = "it was signed by a key after that was withdrawn: whoever has that key may have made it"


class Kind(StrEnum):
    """What is wrong."""

    SEAL_MISSING = "seal missing"
    SEAL_CHANGED = "seal changed"
    KEY_WITHDRAWN = "key withdrawn"
    EVENTS_MISSING = "events missing"
    EVENTS_ADDED = "events added"
    EVENTS_CHANGED = "events changed or reordered"
    ORDER_LOST = "order lost"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong at the seal with this number."""

    kind: Kind
    seal: int
    what: str


@dataclass(frozen=True, slots=True)
class Noted:
    """A seal's number and digest, as somebody wrote them down elsewhere."""

    number: int
    digest: str


@dataclass(slots=True)
class Summary:
    """What was read: how much, and where it ends. Times in Unix milliseconds."""

    seals: int = 0
    events: int = 0
    from_ms: int | None = None
    to_ms: int | None = None
    dropped_seals: int = 0
    dropped_events: int = 0
    dropped_to_ms: int | None = None
    head: Noted | None = None
    tail: Tail = field(default_factory=lambda: Tail(0, None))


@dataclass(slots=True)
class Verification:
    """One walk over the trail; ``summary`` is complete when `findings` has come to its end."""

    seals: SealStore
    trail: TrailStore
    streams: StreamStore
    keyring: Keyring
    noted: Noted | None = None
    summary: Summary = field(default_factory=Summary)
    _withdrawn: WithdrawnKeys = field(default_factory=WithdrawnKeys)
    _words: WithdrawnKeys = field(default_factory=WithdrawnKeys)  # of retention, which go by their own moments
    _link: str | None = ""  # what the next seal says of the one before; None if that cannot be known

    def findings(self) -> Iterator[Finding]:
        """Everything that is wrong, in the order of the seals."""
        self._withdrawn = WithdrawnKeys.of(self.keyring)
        self._words = WithdrawnKeys(self._withdrawn.moments)
        place, after = START, 0
        while page := self.seals.after(after):
            read = self.trail.events(place, max(seal.last for seal in page))
            events = Events(self._withdrawn.noting(read))
            for seal in page:
                yield from self._one(seal, events)
            place, after = max(place, page[-1].last), page[-1].number
        self.summary.tail = self.trail.tail(place)
        yield from self._end(place)

    def _one(self, seal: Seal, events: Events) -> Iterator[Finding]:
        yield from self._number(seal)
        stated = stated_of(seal, self.keyring)
        if stated is None:
            yield Finding(Kind.SEAL_CHANGED, seal.number, "it is not what was signed: its events cannot be checked")
            events.skip(seal.last)
        else:
            if self._withdrawn.signed_late(seal.signed, stated.iat):
                yield Finding(Kind.KEY_WITHDRAWN, seal.number, LATE)
            if self._link not in (None, stated.previous):
                yield Finding(Kind.SEAL_CHANGED, seal.number, "it does not follow from the seal before it")
            check = self._standing if seal.dropped is None else self._dropped
            yield from check(seal, stated, events)
        self.summary.seals += 1
        self.summary.head = Noted(seal.number, seal_digest(seal.signed))
        self._link = self.summary.head.digest if stated else None

    def _number(self, seal: Seal) -> Iterator[Finding]:
        digest = seal_digest(seal.signed)
        if self.noted and self.noted.number == seal.number and self.noted.digest != digest:
            yield Finding(Kind.SEAL_CHANGED, seal.number, "it is another seal than the one that was noted")
        due = self.summary.head.number + 1 if self.summary.head else 1
        if seal.number != due:
            gone = f"seal {due} is" if seal.number == due + 1 else f"seals {due} to {seal.number - 1} are"
            yield Finding(Kind.SEAL_MISSING, due, f"{gone} gone")
            self._link = None

    def _dropped(self, seal: Seal, stated: Statement, events: Events) -> Iterator[Finding]:
        word = self.keyring.read_own(seal.dropped or "", typ=DROP_TYPE, purpose=Purpose.AUDIT)
        if word is None or word.get("number") != seal.number:
            yield Finding(Kind.EVENTS_MISSING, seal.number, "its events were dropped, but not by retention")
        elif self._words.signed_late(seal.dropped or "", _moment(word)):
            yield Finding(Kind.KEY_WITHDRAWN, seal.number, f"its events were dropped: {LATE}")
        if left := events.skip(stated.last):
            yield Finding(Kind.EVENTS_ADDED, seal.number, f"retention took its events, and there are {left}")
        self.summary.dropped_seals += 1
        self.summary.dropped_events += stated.rows
        self.summary.dropped_to_ms = max(self.summary.dropped_to_ms or 0, stated.to_ms)

    def _standing(self, seal: Seal, stated: Statement, events: Events) -> Iterator[Finding]:
        strays = events.skip(Place(stated.first.xid, stated.first.id - 1))
        found = events.digest(stated.last)
        if (strays or found.value() != stated.digest) and (dropped := self._dropped_meanwhile(seal)):
            yield from self._dropped(dropped, stated, events)
            return
        if strays:
            yield Finding(Kind.EVENTS_ADDED, seal.number, f"{strays} before it are under no seal")
        yield from _difference(stated, found)
        self.summary.events += found.rows
        self.summary.from_ms = min(self.summary.from_ms or stated.from_ms, stated.from_ms)
        self.summary.to_ms = max(self.summary.to_ms or 0, stated.to_ms)

    def _dropped_meanwhile(self, seal: Seal) -> Seal | None:
        """*seal* as it is now, if its events went since it was read."""
        now = self.seals.after(seal.number - 1, 1)
        return now[0] if now and now[0].number == seal.number and now[0].dropped else None

    def _end(self, place: Place) -> Iterator[Finding]:
        last = self.summary.head.number if self.summary.head else 0
        if self.noted and self.noted.number > last:
            yield Finding(Kind.SEAL_MISSING, last + 1, f"the newest seal is {last}, and {self.noted.number} was noted")
        for stream in self.streams.all():
            if stream.last > place:
                yield Finding(Kind.SEAL_MISSING, last + 1, f"{stream.target} took sealed events that are gone")
        if self.seals.moved():
            yield Finding(Kind.ORDER_LOST, last, "the database seems restored from a dump: 'authserver audit resume'")


def _moment(word: dict[str, Any]) -> int:
    at = word.get("iat")
    return at if isinstance(at, int) else 0


def stated_of(seal: Seal, keyring: Keyring) -> Statement | None:
    """What was signed in *seal*, if one of our keys did, and the columns beside it say the same."""
    claims = keyring.read_own(seal.signed, typ=SEAL_TYPE, purpose=Purpose.AUDIT)
    stated = Statement.of(claims) if claims else None
    if stated is None:
        return None
    kept = (seal.number, seal.last, seal.rows, seal.from_ms, seal.to_ms, seal.sealed_at)
    said = (stated.number, stated.last, stated.rows, stated.from_ms, stated.to_ms, stated.iat)
    return stated if kept == said else None


def _difference(stated: Statement, found: Digest) -> Iterator[Finding]:
    where = f"between {stated.first.xid}-{stated.first.id} and {stated.last.xid}-{stated.last.id}"
    if found.rows < stated.rows:
        yield Finding(Kind.EVENTS_MISSING, stated.number, f"{stated.rows - found.rows} of {stated.rows} {where}")
    elif found.rows > stated.rows:
        yield Finding(Kind.EVENTS_ADDED, stated.number, f"{found.rows - stated.rows} to {stated.rows} {where}")
    elif found.value() != stated.digest:
        yield Finding(Kind.EVENTS_CHANGED, stated.number, f"one or more of {stated.rows} {where}")
