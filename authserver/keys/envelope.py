"""The envelope of a refresh token's successor (TK-4): only the holder of the presented token can open it.

The key is HKDF of the presented token, which the server does not keep; family and successor are associated data,
so an envelope moved to another row does not open.
"""

import secrets

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ..protocol import credential

NONCE_BYTES = 12


class SuccessorEnvelope:
    """Implements `protocol.grants.refresh_token.Envelope`."""

    def seal(self, successor: str, *, presented: str, family_id: str) -> bytes:
        """Nonce and ciphertext: 28 bytes more than the successor's text."""
        bound_to = family_id.encode() + credential.digest(successor)
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + _cipher(presented).encrypt(nonce, successor.encode(), bound_to)

    def open(self, sealed: bytes, *, presented: str, family_id: str, successor_digest: bytes) -> str:
        """The successor. Raises `cryptography.exceptions.InvalidTag` if anything does not fit."""
        bound_to = family_id.encode() + successor_digest
        return _cipher(presented).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to).decode()


def _cipher(presented: str) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt=None, info=b"refresh successor").derive(presented.encode()))
