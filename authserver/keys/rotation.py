"""Rotation: each use of each algorithm has a key that signs and a standby, published ahead of its use (DI-5, TK-12)."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from ..protocol.audit import Event, Origin
from . import pair
from .keyring import CLOCK_SKEW
from .life import State, rotates_at, state
from .ports import KeyStore, NewKey, Purpose, StoredKey
from .sealing import Vault

STATUS_ALGORITHM = "ES256"
AUDIT_ALGORITHM = "ES256"
ALWAYS = ("ES256", "RS256")  # RFC 9068 §2.1 wants RS256 supported; OIDC Discovery wants it listed


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for one key that signs and one standby."""

    alg: str
    purpose: Purpose

    def fits(self, key: StoredKey) -> bool:
        """Whether *key* is one of this place."""
        return key.alg == self.alg and key.purpose == self.purpose


@dataclass(frozen=True, slots=True)
class Rotation:
    """Makes and rotates key pairs, for ``actor``. ``token_lifetime`` and ``lead`` are in seconds.

    A retired key stays published for ``token_lifetime``, so every token that it signed can be verified to its end.
    A key that has signed ``every`` so many seconds is rotated by itself; 0: none is. ``in_use`` gives the algorithms
    that resources have chosen.
    """

    store: KeyStore
    vault: Vault
    algorithm: str
    token_lifetime: int
    lead: int
    every: int = 0
    in_use: Callable[[], Iterable[str]] = tuple
    actor: str = "system"
    origin: Origin = field(default_factory=Origin)

    def ensure(self) -> list[str]:
        """Give each algorithm a signing key and a standby where they lack. Returns the kids that were made.

        Where a resource chose an algorithm that nothing needed before, its key signs when it has been published for the
        lead. Of many that do this at once, one makes what lacks.
        """
        keys, made = self.store.all(), []
        for slot in self._slots(keys):
            if _signing(slot, keys) is None:
                made.append(self._fill(slot, self.store.clock() + (0 if self._is_needed(slot) else self.lead)))
            if _standby(slot, keys) is None:
                made.append(self._fill(slot, None))
        return [kid for kid in made if kid]

    def lacking(self) -> list[Slot]:
        """The places where `ensure` would make something."""
        keys = self.store.all()
        return [slot for slot in self._slots(keys) if None in (_signing(slot, keys), _standby(slot, keys))]

    def keep_up(self) -> list[str]:
        """Make what lacks, and rotate what has signed long enough. Returns the kids that are to sign from now.

        Every node may do this at any time: what one has done, the others find done.
        """
        if self.lacking():
            self.ensure()
        now, keys = self.store.clock(), self.store.all()
        signing = {slot: _signing(slot, keys) for slot in self._slots(keys)}
        due = {slot: rotates_at(key, self.every) for slot, key in signing.items() if key}
        return [self._rotate(slot, keys) for slot, at in due.items() if at is not None and at <= now]

    def rotate(self) -> list[str]:
        """Promote each standby, retire what signed, and publish new standbys. Returns the kids that sign from now.

        A standby younger than the lead begins to sign only when it has been published that long.
        """
        self.ensure()
        keys = self.store.all()
        return [self._rotate(slot, keys) for slot in self._slots(keys)]

    def replace_all(self) -> tuple[int, list[str]]:
        """The emergency: withdraw every key at once and sign with new ones. Returns how many, and the new kids.

        The standbys too: they lay under the same key-encryption key. All that the old keys signed is worth nothing as
        soon as they are gone from the JWKS, so tokens have to be refreshed; nobody has to sign in again. Of two at once
        each withdraws what it found, so that the keys of one are left at the least.
        """
        found = self.store.all()
        since = self.store.clock() - CLOCK_SKEW  # at once on all nodes, whatever their clocks say
        made = [self._add(slot, signs) for slot in self._slots(found) for signs in (since, None)]
        return self.store.withdraw([key.kid for key in found], self._event("keys.withdrawn")), made

    def withdraw(self, kid: str) -> bool:
        """The same for one key, while the others go on; if it signs, its standby does from now on.

        False if there is none of this name, if it has ended already, or if somebody else moved its keys in this moment.
        """
        self.ensure()
        found = next((key for key in self.store.all() if key.kid == kid), None)
        if found is None:
            return False
        now = self.store.clock()
        signs = state(found, now) is State.SIGNING
        about_to = found.signs_until is None and not signs and found.signs_from is not None
        promoted = self._successor(found) if signs or about_to else None
        at = now - CLOCK_SKEW if signs else found.signs_from or 0
        event = self._event("key.withdrawn", alg=found.alg, purpose=found.purpose, kid=kid)
        gone = self.store.withdraw([kid], event, promoted=promoted, at=at)
        self.ensure()
        return bool(gone)

    def reseal(self) -> int:
        """Seal all private keys under the newest root secret, where they are not. Returns how many were."""
        done = 0
        for key in self.store.all():
            if not self.vault.is_newest(key.sealed_private, key.kid):
                secret = self.vault.open(key.sealed_private, key.kid)
                done += self.store.reseal(key.kid, key.sealed_private, self.vault.seal(secret, key.kid))
        return done

    def _successor(self, found: StoredKey) -> str | None:
        """What can sign in its place: what is about to, or else the standby."""
        living = [key for key in self.store.all() if key.signs_until is None and key.kid != found.kid]
        alike = [key for key in living if (key.alg, key.purpose) == (found.alg, found.purpose)]
        return next((key.kid for key in sorted(alike, key=lambda key: key.signs_from is None)), None)

    def _event(self, name: str, **detail: object) -> Event:
        return Event(name, self.actor, self.origin, detail=detail)

    def _slots(self, keys: Collection[StoredKey]) -> list[Slot]:
        """Those of algorithms that are needed, or chosen, or that one of *keys* still signs with."""
        living = [key.alg for key in keys if key.purpose == Purpose.TOKENS and key.signs_until is None]
        tokens = [Slot(alg, Purpose.TOKENS) for alg in dict.fromkeys((*self._needed, *self.in_use(), *living))]
        return [*tokens, Slot(STATUS_ALGORITHM, Purpose.STATUS), Slot(AUDIT_ALGORITHM, Purpose.AUDIT)]

    @property
    def _needed(self) -> tuple[str, ...]:
        return (*ALWAYS, self.algorithm)

    def _is_needed(self, slot: Slot) -> bool:
        return slot.purpose != Purpose.TOKENS or slot.alg in self._needed

    def _rotate(self, slot: Slot, keys: Collection[StoredKey]) -> str:
        """Rotate what *keys* say; nothing, if they say so no more."""
        old, standby = _signing(slot, keys), _standby(slot, keys)
        if standby is None:
            raise LookupError(f"no standby key for {slot.alg} {slot.purpose}")
        at = max(self.store.clock(), standby.created_at + self.lead)
        event = self._event("key.rotated", alg=slot.alg, kid=standby.kid, signs_from=at)
        if self.store.rotate(
            retired=old.kid if old else None,
            promoted=standby.kid,
            at=at,
            published_until=at + self.token_lifetime + CLOCK_SKEW,
            event=event,
        ):
            self._fill(slot, None)
            return standby.kid
        moved = _signing(slot, self.store.all())  # somebody else was faster
        if moved is None:
            raise LookupError(f"no key signs for {slot.alg} {slot.purpose}")
        return moved.kid

    def _fill(self, slot: Slot, signs_from: int | None) -> str | None:
        """Add a key where there is none; its kid, or None, if somebody else was faster."""
        new, event = self._new(slot, signs_from)
        return new.kid if self.store.fill(new, event) else None

    def _add(self, slot: Slot, signs_from: int | None) -> str:
        new, event = self._new(slot, signs_from)
        self.store.add(new, event)
        return new.kid

    def _new(self, slot: Slot, signs_from: int | None) -> tuple[NewKey, Event]:
        made = pair.generate(slot.alg)
        sealed = self.vault.seal(made.to_der(), made.kid)
        event = self._event("key.published", alg=slot.alg, purpose=slot.purpose, kid=made.kid)
        return NewKey(made.kid, slot.alg, slot.purpose, made.public_jwk, sealed, signs_from), event


def _signing(slot: Slot, keys: Collection[StoredKey]) -> StoredKey | None:
    signs = (key for key in keys if slot.fits(key) and key.signs_from is not None and key.signs_until is None)
    return next(signs, None)


def _standby(slot: Slot, keys: Collection[StoredKey]) -> StoredKey | None:
    return next((key for key in keys if slot.fits(key) and key.signs_from is None), None)
