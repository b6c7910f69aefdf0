"""Rotation: each use of each algorithm has a key that signs and a standby, published ahead of its use (DI-5, TK-12)."""

import time
from dataclasses import dataclass, field

from ..protocol.audit import Event, Origin
from . import pair
from .keyring import CLOCK_SKEW
from .life import State, state
from .ports import KeyStore, Purpose, StoredKey
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
    """

    store: KeyStore
    vault: Vault
    algorithm: str
    token_lifetime: int
    lead: int
    actor: str = "system"
    origin: Origin = field(default_factory=Origin)

    def ensure(self) -> list[str]:
        """Give each algorithm a signing key and a standby where they lack. Returns the kids that were made."""
        made = []
        for slot in self._slots():
            if self._signing(slot) is None:
                made.append(self._add(slot, signs_from=int(time.time())))
            if self._standby(slot) is None:
                made.append(self._add(slot, signs_from=None))
        return made

    def lacking(self) -> list[Slot]:
        """The places where `ensure` would make something."""
        keys = [key for key in self.store.all() if key.signs_until is None]
        there = {(slot, key.signs_from is None) for key in keys for slot in self._slots() if slot.fits(key)}
        return [slot for slot in self._slots() if not {(slot, True), (slot, False)} <= there]

    def rotate(self) -> list[str]:
        """Promote each standby, retire what signed, and publish new standbys. Returns the kids that sign from now.

        A standby younger than the lead begins to sign only when it has been published that long.
        """
        self.ensure()
        return [self._rotate(slot) for slot in self._slots()]

    def replace_all(self) -> tuple[int, list[str]]:
        """The emergency: withdraw every key at once and sign with new ones. Returns how many, and the new kids.

        The standbys too: they lay under the same key-encryption key. All that the old keys signed is worth nothing as
        soon as they are gone from the JWKS, so tokens have to be refreshed; nobody has to sign in again. Of two at once
        each withdraws what it found, so that the keys of one are left at the least.
        """
        found = [key.kid for key in self.store.all()]
        since = int(time.time()) - CLOCK_SKEW  # at once on all nodes, whatever their clocks say
        made = [self._add(slot, signs_from=signs) for slot in self._slots() for signs in (since, None)]
        return self.store.withdraw(found, self._event("keys.withdrawn")), made

    def withdraw(self, kid: str) -> bool:
        """The same for one key, while the others go on; if it signs, its standby does from now on.

        False if there is none of this name, if it has ended already, or if somebody else moved its keys in this moment.
        """
        self.ensure()
        found = next((key for key in self.store.all() if key.kid == kid), None)
        if found is None:
            return False
        now = int(time.time())
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

    def _slots(self) -> list[Slot]:
        tokens = [Slot(alg, Purpose.TOKENS) for alg in dict.fromkeys((*ALWAYS, self.algorithm))]
        return [*tokens, Slot(STATUS_ALGORITHM, Purpose.STATUS), Slot(AUDIT_ALGORITHM, Purpose.AUDIT)]

    def _rotate(self, slot: Slot) -> str:
        old, standby = self._signing(slot), self._standby(slot)
        if standby is None:
            raise LookupError(f"no standby key for {slot.alg} {slot.purpose}")
        at = max(int(time.time()), standby.created_at + self.lead)
        event = self._event("key.rotated", alg=slot.alg, kid=standby.kid, signs_from=at)
        if self.store.rotate(
            retired=old.kid if old else None,
            promoted=standby.kid,
            at=at,
            published_until=at + self.token_lifetime + CLOCK_SKEW,
            event=event,
        ):
            self._add(slot, signs_from=None)
            return standby.kid
        moved = self._signing(slot)  # somebody else was faster
        if moved is None:
            raise LookupError(f"no key signs for {slot.alg} {slot.purpose}")
        return moved.kid

    def _signing(self, slot: Slot) -> StoredKey | None:
        keys = (key for key in self.store.all() if slot.fits(key) and key.signs_from is not None)
        return next((key for key in keys if key.signs_until is None), None)

    def _standby(self, slot: Slot) -> StoredKey | None:
        return next((key for key in self.store.all() if slot.fits(key) and key.signs_from is None), None)

    def _add(self, slot: Slot, *, signs_from: int | None) -> str:
        made = pair.generate(slot.alg)
        self.store.add(
            kid=made.kid,
            alg=slot.alg,
            purpose=slot.purpose,
            public_jwk=made.public_jwk,
            sealed_private=self.vault.seal(made.to_der(), made.kid),
            signs_from=signs_from,
            event=self._event("key.published", alg=slot.alg, purpose=slot.purpose, kid=made.kid),
        )
        return made.kid
