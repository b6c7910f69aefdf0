"""Rotation: each algorithm has a key that signs and a standby, published ahead of its use (DI-5, TK-12)."""

import time
from dataclasses import dataclass

from ..protocol.audit import Event
from . import pair
from .keyring import CLOCK_SKEW
from .ports import KeyStore, StoredKey
from .sealing import Vault

ALWAYS = ("ES256", "RS256")  # RFC 9068 §2.1 wants RS256 supported; OIDC Discovery wants it listed


@dataclass(frozen=True, slots=True)
class Rotation:
    """Makes and rotates key pairs. ``token_lifetime`` and ``lead`` are in seconds.

    A retired key stays published for ``token_lifetime``, so every token that it signed can be verified to its end.
    """

    store: KeyStore
    vault: Vault
    algorithm: str
    token_lifetime: int
    lead: int

    def ensure(self) -> list[str]:
        """Give each algorithm a signing key and a standby where they lack. Returns the kids that were made."""
        made = []
        for alg in dict.fromkeys((*ALWAYS, self.algorithm)):
            if self._signing(alg) is None:
                made.append(self._add(alg, signs_from=int(time.time())))
            if self._standby(alg) is None:
                made.append(self._add(alg, signs_from=None))
        return made

    def rotate(self) -> list[str]:
        """Promote each standby, retire what signed, and publish new standbys. Returns the kids that sign from now.

        A standby younger than the lead begins to sign only when it has been published that long.
        """
        self.ensure()
        return [self._rotate(alg) for alg in dict.fromkeys((*ALWAYS, self.algorithm))]

    def _rotate(self, alg: str) -> str:
        old, standby = self._signing(alg), self._standby(alg)
        if standby is None:
            raise LookupError(f"no standby key for {alg}")
        at = max(int(time.time()), standby.created_at + self.lead)
        event = Event("key.rotated", "system", detail={"alg": alg, "kid": standby.kid, "signs_from": at})
        self.store.rotate(
            retired=old.kid if old else None,
            promoted=standby.kid,
            at=at,
            published_until=at + self.token_lifetime + CLOCK_SKEW,
            event=event,
        )
        self._add(alg, signs_from=None)
        return standby.kid

    def _signing(self, alg: str) -> StoredKey | None:
        keys = (key for key in self.store.all() if key.alg == alg and key.signs_from is not None)
        return next((key for key in keys if key.signs_until is None), None)

    def _standby(self, alg: str) -> StoredKey | None:
        return next((key for key in self.store.all() if key.alg == alg and key.signs_from is None), None)

    def _add(self, alg: str, *, signs_from: int | None) -> str:
        made = pair.generate(alg)
        self.store.add(
            kid=made.kid,
            alg=alg,
            public_jwk=made.public_jwk,
            sealed_private=self.vault.seal(made.to_der(), made.kid),
            signs_from=signs_from,
            event=Event("key.published", "system", detail={"alg": alg, "kid": made.kid}),
        )
        return made.kid
