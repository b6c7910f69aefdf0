"""Key-encryption keys (KEK): each wraps root secrets, and lies in a file, the environment, a token, or a service.

A KEK is written as text, the same in every place that takes one:

- 32 bytes as base64url: the key itself
- ``file:/run/secrets/kek``: a file of mode 0600 with such a text
- ``pkcs11:token=…;object=…?module-path=…&pin-source=…`` (RFC 7512): a key that never leaves its token (`keys.hsm`)
- ``command:/usr/local/bin/kms …``: a program that asks a key management service (`keys.command`)
"""

import base64
import binascii
import hashlib
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from . import command, hsm
from .sealing import KEY_BYTES, NONCE_BYTES, SealError, derived

FILE_NAME = "key-encryption.key"
FILE = "file:"
CONTEXT = b"root secret"


class KeyEncryptionKey(Protocol):
    """Wraps root secrets, and unwraps them again."""

    @property
    def name(self) -> str:
        """Tells it from others; nothing secret."""

    def wrap(self, secret: bytes) -> bytes:
        """*secret*, so that this key alone can unwrap it. Raises `SealError` in words for the operator."""

    def unwrap(self, wrapped: bytes) -> bytes:
        """The secret again. Raises `SealError` where another key wrapped it, or this one cannot be used now."""


@dataclass(frozen=True, slots=True)
class LocalKey:
    """A KEK whose bytes are here."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Raises `SealError` for another length than 32 bytes."""
        if len(self.secret) != KEY_BYTES:
            raise SealError("the key-encryption key must be 32 bytes, as base64url")

    @property
    def name(self) -> str:
        """Eight digits of its hash: of 256 random bits they tell nothing."""
        return f"key {hashlib.sha256(b'name of ' + self.secret).hexdigest()[:8]}"

    def wrap(self, secret: bytes) -> bytes:
        """Nonce and ciphertext."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher().encrypt(nonce, secret, CONTEXT)

    def unwrap(self, wrapped: bytes) -> bytes:
        """The secret again. Raises `SealError`."""
        try:
            return self._cipher().decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], CONTEXT)
        except InvalidTag:
            raise SealError(f"{self.name} is not the key that the root secret was wrapped with") from None

    def _cipher(self) -> AESGCM:
        return AESGCM(derived(self.secret, "wrapping"))


def key_encryption_key(configured: str, home: Path) -> KeyEncryptionKey:
    """The KEK that a setting names; where it names none, the one in the file of *home*.

    Nothing but files is read. Raises `SealError` when there is none, or when a file is open to others.
    """
    if configured.startswith(hsm.SCHEME):
        return hsm.TokenKey.at(configured)
    if configured.startswith(command.SCHEME):
        return command.CommandKey.at(configured)
    if configured and not configured.startswith(FILE):
        return LocalKey(_decode(configured))
    path = Path(configured.removeprefix(FILE)) if configured else home / FILE_NAME
    try:
        if path.stat().st_mode & 0o077:
            raise SealError(f"{path} must be readable by its owner alone (chmod 600)")
        return LocalKey(_decode(path.read_text("ascii")))
    except FileNotFoundError:
        raise SealError(
            f"no key-encryption key ({path} is missing). A database that is in use has its own: put it there, or set "
            "AUTHSERVER_KEY_ENCRYPTION_KEY. For a new one 'authserver init' makes it"
        ) from None


def create_key_file(home: Path) -> bool:
    """Make the KEK file in *home* (mode 0600), unless it is there. Returns whether it was made."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        handle = os.open(home / FILE_NAME, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(handle, "w") as file:
        file.write(generated() + "\n")
    return True


def generated() -> str:
    """A new key, as text."""
    return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def _decode(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text.strip() + "==")
    except (binascii.Error, ValueError):
        raise SealError("the key-encryption key must be 32 bytes, as base64url") from None
