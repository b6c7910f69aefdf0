"""Opaque access tokens (TK-2): claims that are sealed, so that this deployment alone can read them; nothing is stored.

Key and nonce of each token come from its salt by a keyed hash. Under one key for all, random nonces of 96 bits would be
good for 2^32 tokens only (NIST SP 800-38D §8.3). The issuer is associated data.
"""

import base64
import binascii
import json
import secrets
import time
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ..protocol.credential import Prefix, base64url

SALT_BYTES = 24
KEY_BYTES = 32
NONCE_BYTES = 12


class OpaqueTokens:
    """Seals the claims of access tokens, and opens them again."""

    def __init__(self, secret: Callable[[], bytes], issuer: str) -> None:
        """*secret* gives 32 bytes, and the same on all nodes."""
        self._secret = secret
        self._issuer = issuer.encode()

    def seal(self, claims: dict[str, Any]) -> str:
        """The token that says *claims*: prefix, then salt and ciphertext as base64url."""
        salt = secrets.token_bytes(SALT_BYTES)
        cipher, nonce = self._cipher(salt)
        text = json.dumps(claims, separators=(",", ":")).encode()
        return Prefix.ACCESS + base64url(salt + cipher.encrypt(nonce, text, self._issuer))

    def open(self, token: str) -> dict[str, Any] | None:
        """The claims of a token of ours that is intact to the last bit, and unexpired; None for anything else."""
        sealed = _decoded(token.removeprefix(Prefix.ACCESS))
        if not token.startswith(Prefix.ACCESS) or sealed is None or len(sealed) <= SALT_BYTES:
            return None
        salt, ciphertext = sealed[:SALT_BYTES], sealed[SALT_BYTES:]
        cipher, nonce = self._cipher(salt)
        try:
            claims: dict[str, Any] = json.loads(cipher.decrypt(nonce, ciphertext, self._issuer))
        except InvalidTag:
            return None
        return claims if time.time() < claims["exp"] else None

    def _cipher(self, salt: bytes) -> tuple[AESGCM, bytes]:
        drawn = blake2b(salt, key=self._secret(), digest_size=KEY_BYTES + NONCE_BYTES).digest()
        return AESGCM(drawn[:KEY_BYTES]), drawn[KEY_BYTES:]


def _decoded(text: str) -> bytes | None:
    """The bytes whose one spelling *text* is: the last character of another one has bits that say nothing."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if base64url(data) == text else None
