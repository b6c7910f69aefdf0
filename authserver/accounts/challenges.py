"""Challenges for passkeys: made without a row, so that strangers fill no table, and taken once."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from ..protocol.ports import UsedAssertions

LIFETIME = 600  # seconds; a page may lie open for a while
NONCE_BYTES = 16
EXPIRY_BYTES = 5
MAC_BYTES = 16
LENGTH = EXPIRY_BYTES + NONCE_BYTES + MAC_BYTES


@dataclass(frozen=True, slots=True)
class Challenges:
    """Bytes for a passkey to sign (WebAuthn §13.4.3): random, ours by their tail under ``key``, and good once."""

    key: Callable[[], bytes]
    used: UsedAssertions

    def new(self, purpose: str) -> bytes:
        """A new one, for *purpose* alone: what is done, and in which session."""
        body = (int(time.time()) + LIFETIME).to_bytes(EXPIRY_BYTES) + secrets.token_bytes(NONCE_BYTES)
        return body + self._mac(purpose, body)

    def is_ours(self, challenge: bytes, purpose: str) -> bool:
        """Whether *challenge* was made here for *purpose* within the last ten minutes."""
        body, mac = challenge[:-MAC_BYTES], challenge[-MAC_BYTES:]
        fits = len(challenge) == LENGTH and hmac.compare_digest(mac, self._mac(purpose, body))
        return fits and _expiry(challenge) > time.time()

    def use(self, challenge: bytes) -> bool:
        """Take a challenge of ours; False if it was taken before. Of any number of tries at once, one gets True."""
        return self.used.use(hashlib.sha256(b"passkey challenge" + challenge).digest(), _expiry(challenge))

    def _mac(self, purpose: str, body: bytes) -> bytes:
        return hmac.digest(self.key(), purpose.encode() + b"\0" + body, "sha256")[:MAC_BYTES]


def _expiry(challenge: bytes) -> int:
    return int.from_bytes(challenge[:EXPIRY_BYTES])
