"""Encryption at rest: AES-256-GCM under keys derived from one key-encryption key (KEK), one per purpose (HKDF)."""

import base64
import binascii
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
NONCE_BYTES = 12
FILE_NAME = "key-encryption.key"


class SealError(ValueError):
    """The key-encryption key is missing, malformed, or not the one that the data was sealed with."""


class Vault:
    """Seals and opens short secrets, bound to a context so that sealed values cannot be swapped for one another."""

    def __init__(self, key: bytes) -> None:
        """*key* is the KEK, 32 bytes. Raises `SealError` for another length."""
        if len(key) != KEY_BYTES:
            raise SealError("the key-encryption key must be 32 bytes, as base64url")
        self._key = key
        self._cipher = AESGCM(self.derive("signing keys"))

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one *purpose* (RFC 5869), such as the key that signs browser cookies."""
        return HKDF(SHA256(), KEY_BYTES, salt=None, info=purpose.encode()).derive(self._key)

    def seal(self, secret: bytes, context: str) -> bytes:
        """Nonce and ciphertext of *secret*, to be opened with the same *context* only."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, context.encode())

    def open(self, sealed: bytes, context: str) -> bytes:
        """The secret again. Raises `SealError` when the KEK or the context is another one."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context.encode())
        except InvalidTag:
            raise SealError(
                "a signing key cannot be decrypted: the key-encryption key is not the one it was made with"
            ) from None


def vault(configured: str, home: Path) -> Vault:
    """The vault of a deployment: the KEK from the setting, else from the file in *home*.

    Raises `SealError` when there is neither, or when the file is open to others.
    """
    if configured:
        return Vault(_decode(configured))
    path = home / FILE_NAME
    try:
        if path.stat().st_mode & 0o077:
            raise SealError(f"{path} must be readable by its owner alone (chmod 600)")
        return Vault(_decode(path.read_text("ascii")))
    except FileNotFoundError:
        raise SealError(
            f"no key-encryption key: run 'authserver init', or set AUTHSERVER_KEY_ENCRYPTION_KEY ({path} is missing)"
        ) from None


def create_key_file(home: Path) -> bool:
    """Make the KEK file in *home* (mode 0600), unless it is there. Returns whether it was made."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        handle = os.open(home / FILE_NAME, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(handle, "w") as file:
        file.write(base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode() + "\n")
    return True


def _decode(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text.strip() + "==")
    except (binascii.Error, ValueError):
        raise SealError("the key-encryption key must be 32 bytes, as base64url") from None
