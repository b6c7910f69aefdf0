"""The keyring: all keys published now, the one that signs, and JWTs made and read with them (DI-5, TK-12)."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jwt

from . import compact, pair
from .ports import KeyStore, Purpose, StoredKey
from .sealing import Vault

CLOCK_SKEW = 60  # seconds that nodes' clocks may differ


class NoSigningKey(RuntimeError):
    """There is no key to sign with: ``authserver init`` was not run on this database."""


@dataclass(frozen=True, slots=True)
class _Entry:
    stored: StoredKey
    pair: pair.KeyPair

    @property
    def public_jwk(self) -> dict[str, Any]:
        """As published. A key for status lists says so (RFC 7517 §4 allows for such a member)."""
        if self.stored.purpose == Purpose.TOKENS:
            return self.pair.public_jwk
        return {**self.pair.public_jwk, "purpose": self.stored.purpose}

    def published(self, now: float) -> bool:
        until = self.stored.published_until
        return until is None or now < until

    def signing(self, now: float) -> bool:
        since, until = self.stored.signs_from, self.stored.signs_until
        return since is not None and since <= now and (until is None or now < until)


class Keyring:
    """Keys of one deployment: read again when the configuration's epoch moves, each parsed once."""

    def __init__(self, store: KeyStore, vault: Vault, epoch: Callable[[], int]) -> None:
        """*epoch* gives a number that changes whenever keys do, on any node; it is asked at each use."""
        self._store = store
        self._vault = vault
        self._epoch = epoch
        self._lock = threading.Lock()
        self._loaded: tuple[int, tuple[_Entry, ...]] = (-1, ())
        self._pairs: dict[str, pair.KeyPair] = {}
        self.loads = 0

    def sign(self, claims: dict[str, Any], *, typ: str, alg: str, purpose: Purpose = Purpose.TOKENS) -> str:
        """A compact JWS of *claims* with the key whose turn it is for this *purpose*. Raises `NoSigningKey`."""
        return compact.sign(claims, self._signing(alg, purpose), typ=typ)

    def fit(self, chosen: str | None, usual: str) -> str:
        """The algorithm for tokens: the *chosen* one, if one is and a key of it signs now; else the *usual* one."""
        if chosen is None or chosen == usual:
            return usual
        now = time.time()
        keys = (each for each in self._entries() if (each.stored.alg, each.stored.purpose) == (chosen, Purpose.TOKENS))
        return chosen if any(each.signing(now) for each in keys) else usual

    def read(self, token: str, *, typ: str, issuer: str) -> dict[str, Any] | None:
        """The claims of a JWT of ours that is intact, of type *typ*, and unexpired; None for anything else.

        When it was issued is no matter: the clock of the node that did so may be ahead of ours.
        """
        try:
            header = jwt.get_unverified_header(token)
            known = (entry for entry in self.published() if entry.stored.purpose == Purpose.TOKENS)
            entry = next(entry for entry in known if entry.pair.kid == header.get("kid"))
            if header.get("typ") != typ or header.get("alg") != entry.pair.alg:
                return None
            found: dict[str, Any] = jwt.decode(
                token,
                entry.pair.private.public_key(),
                algorithms=[entry.pair.alg],
                issuer=issuer,
                options={
                    "verify_aud": False,
                    "verify_iat": False,
                    "require": ["iss", "aud", "sub", "exp", "iat", "jti"],
                },
            )
        except (jwt.InvalidTokenError, StopIteration, ValueError):
            return None
        return found

    def read_own(self, signed: str, *, typ: str, purpose: Purpose) -> dict[str, Any] | None:
        """The claims of what a key for *purpose* signed for ourselves, however long ago; None for anything else.

        A key counts as its private half does, which nobody can put into the database who has no key to encrypt it.
        """
        try:
            header = jwt.get_unverified_header(signed)
            known = (entry for entry in self._entries() if entry.stored.purpose == purpose)
            entry = next(entry for entry in known if entry.pair.kid == header.get("kid"))
            if header.get("typ") != typ:
                return None
            found: dict[str, Any] = jwt.decode(
                signed,
                entry.pair.private.public_key(),
                algorithms=[entry.pair.alg],
                options={"verify_iat": False, "verify_exp": False, "verify_nbf": False, "verify_aud": False},
            )
        except (jwt.InvalidTokenError, StopIteration, ValueError):
            return None
        return found

    def withdrawn(self, purpose: Purpose) -> dict[str, int]:
        """The keys for *purpose* that were withdrawn before their time, by name, and when (Unix seconds)."""
        known = (entry.stored for entry in self._entries() if entry.stored.purpose == purpose)
        return {stored.kid: stored.withdrawn_at for stored in known if stored.withdrawn_at is not None}

    def published(self) -> list[_Entry]:
        """The keys that others may meet now. Those for the audit trail are of no use to them."""
        now = time.time()
        return [entry for entry in self._entries() if entry.published(now) and entry.stored.purpose != Purpose.AUDIT]

    def kids(self) -> tuple[str, ...]:
        """The names of the published keys: what changes when `jwks` does."""
        return tuple(entry.pair.kid for entry in self.published())

    def jwks(self) -> dict[str, Any]:
        """The JWK Set (RFC 7517 §5): public members only."""
        return {"keys": [entry.public_jwk for entry in self.published()]}

    def signing_kid(self, alg: str, purpose: Purpose) -> str:
        """The name of the key whose turn it is. Raises `NoSigningKey`."""
        return self._signing(alg, purpose).kid

    def _signing(self, alg: str, purpose: Purpose) -> pair.KeyPair:
        now = time.time()
        fitting = [entry for entry in self._entries() if (entry.stored.alg, entry.stored.purpose) == (alg, purpose)]
        if ready := [entry for entry in fitting if entry.signing(now)]:
            return max(ready, key=_begins).pair
        if waiting := [entry for entry in fitting if now < _begins(entry)]:
            return min(waiting, key=_begins).pair  # it signs already by the other nodes' clocks: ours is behind
        raise NoSigningKey(f"no {alg} key that signs {purpose}: run 'authserver init'")

    def _entries(self) -> tuple[_Entry, ...]:
        epoch = self._epoch()
        if self._loaded[0] != epoch:
            with self._lock:
                if self._loaded[0] != epoch:
                    stored = self._store.all()
                    self.loads += 1
                    self._pairs = {key.kid: self._pairs.get(key.kid) or self._open(key) for key in stored}
                    self._loaded = (epoch, tuple(_Entry(key, self._pairs[key.kid]) for key in stored))
        return self._loaded[1]

    def _open(self, stored: StoredKey) -> pair.KeyPair:
        return pair.load(self._vault.open(stored.sealed_private, stored.kid), stored.alg)


def _begins(entry: _Entry) -> int:
    """When it begins to sign (Unix seconds); 0 for a standby, of which nobody knows."""
    return entry.stored.signs_from or 0


def kid_of(signed: str) -> str:
    """The name of the key that *signed*, which is a JWS, says that it is signed by; empty if it says none."""
    try:
        return str(jwt.get_unverified_header(signed).get("kid", ""))
    except jwt.InvalidTokenError:
        return ""
