"""Encryption at rest: AES-256-GCM under keys derived from a root secret, and whatever else is derived of it (HKDF).

A deployment has one *root secret*, made at random and kept in the database under the key-encryption key
(`keys.wrapping`, `keys.roots`), so that this key can be another one tomorrow while all that was sealed and derived
stays. After a leak there is a newer root secret: it seals and derives from then on, and the older ones go on opening.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
NONCE_BYTES = 12


class SealError(ValueError):
    """The key-encryption key is missing, malformed, or not the one that the data was sealed with."""


class Unreadable(SealError):
    """What is sealed was sealed under no root secret of this deployment, or for something else."""


class Roots(Protocol):
    """Where a vault has its root secrets from."""

    def __call__(self, *, again: bool = False) -> Sequence[bytes]:
        """All of them, 32 bytes each, oldest first; *again*: as the database has them now. Raises `SealError`."""


@dataclass(frozen=True, slots=True)
class OneRoot:
    """Roots that are one ``secret`` for ever."""

    secret: bytes = field(repr=False)

    def __call__(self, *, again: bool = False) -> tuple[bytes]:
        """The secret."""
        return (self.secret,)


class Vault:
    """Seals and opens short secrets, bound to a context so that sealed values cannot be swapped for one another."""

    def __init__(self, roots: Roots) -> None:
        """*roots* are asked at each use: to make a vault opens nothing."""
        self._roots = roots
        self._derived = lru_cache(maxsize=64)(derived)
        self._cipher = lru_cache(maxsize=16)(lambda root: AESGCM(derived(root, "signing keys")))

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one *purpose*, such as the key that signs browser cookies."""
        return self._derived(self._roots()[-1], purpose)

    def derive_for_life(self, purpose: str) -> bytes:
        """The same where the bytes may never change, not even after a leak: they are those of the first root secret."""
        return self._derived(self._roots()[0], purpose)

    def seal(self, secret: bytes, context: str) -> bytes:
        """Nonce and ciphertext of *secret*, to be opened with the same *context* only.

        Under the root secret that is the newest in this moment: those before may have leaked.
        """
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher(self._roots(again=True)[-1]).encrypt(nonce, secret, context.encode())

    def open(self, sealed: bytes, context: str) -> bytes:
        """The secret again. Raises `Unreadable` when root secret or context are other ones."""
        found = self._opened(sealed, context, self._roots())
        if found is None:  # perhaps sealed under a root secret that another node has made in this moment
            found = self._opened(sealed, context, self._roots(again=True))
        if found is None:
            raise Unreadable("what is sealed in the database cannot be opened: it was sealed under another root secret")
        return found

    def is_newest(self, sealed: bytes, context: str) -> bool:
        """Whether the newest root secret opens it."""
        return self._opened(sealed, context, self._roots()[-1:]) is not None

    def _opened(self, sealed: bytes, context: str, roots: Sequence[bytes]) -> bytes | None:
        for root in reversed(roots):
            try:
                return self._cipher(root).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context.encode())
            except InvalidTag:
                continue
        return None


def derived(key: bytes, purpose: str) -> bytes:
    """32 bytes for one *purpose* of *key* (RFC 5869)."""
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=purpose.encode()).derive(key)
