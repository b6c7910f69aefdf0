"""A key-encryption key in a PKCS#11 token, such as a hardware security module: it is used there, and never leaves it.

The key is an AES key; root secrets are wrapped with it by AES-GCM (PKCS#11 v3.0 §6.13.3). The library is opened for
each use and closed again: it is needed at the start of a process alone, and a process that forks must not keep it open.
"""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from .sealing import NONCE_BYTES, SealError

SCHEME = "pkcs11:"
FILE = "file:"
CONTEXT = b"root secret"
TAG_BITS = 128
NEEDED = {"token", "object", "module-path"}
KNOWN = NEEDED | {"pin-source", "pin-value", "type"}


@dataclass(frozen=True, slots=True)
class TokenKey:
    """The key called ``object`` in the token called ``token``, through the library ``module``."""

    token: str
    object: str
    module: str
    pin: str | None = field(repr=False)

    @classmethod
    def at(cls, uri: str) -> "TokenKey":
        """The key that a PKCS#11 URI names (RFC 7512). Raises `SealError` for what is lacking or not understood."""
        path, _, query = uri.removeprefix(SCHEME).partition("?")
        parts = (part.partition("=") for part in [*path.split(";"), *query.split("&")] if part)
        said = {name: unquote(value) for name, _, value in parts}
        if lacking := NEEDED - said.keys():
            raise SealError(f"pkcs11: lacks {', '.join(sorted(lacking))}")
        if unknown := said.keys() - KNOWN:
            raise SealError(f"pkcs11: does not know {', '.join(sorted(unknown))}")
        return cls(said["token"], said["object"], said["module-path"], _pin(said))

    @property
    def name(self) -> str:
        """Token and object."""
        return f"pkcs11 {self.token} {self.object}"

    def wrap(self, secret: bytes) -> bytes:
        """Nonce and ciphertext. Raises `SealError`."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._use("encrypt", secret, nonce)

    def unwrap(self, wrapped: bytes) -> bytes:
        """The secret again. Raises `SealError`."""
        return self._use("decrypt", wrapped[NONCE_BYTES:], wrapped[:NONCE_BYTES])

    def _use(self, verb: str, said: bytes, nonce: bytes) -> bytes:
        try:
            import pkcs11  # noqa: PLC0415 - an extra
        except ImportError:
            raise SealError("pkcs11: needs the extra of that name: pip install 'mcp-authserver[pkcs11]'") from None
        try:
            with _alone(self.module):
                return self._used(pkcs11, verb, said, nonce)
        except pkcs11.PKCS11Error as failed:
            raise SealError(f"{self.name}: {type(failed).__name__} {failed}".strip()) from None

    def _used(self, pkcs11: Any, verb: str, said: bytes, nonce: bytes) -> bytes:  # noqa: ANN401 - a module
        how = {"mechanism": pkcs11.Mechanism.AES_GCM, "mechanism_param": pkcs11.GCMParams(nonce, CONTEXT, TAG_BITS)}
        library = pkcs11.lib(self.module)
        try:
            with library.get_token(token_label=self.token).open(user_pin=self.pin) as session:
                key = session.get_key(object_class=pkcs11.ObjectClass.SECRET_KEY, label=self.object)
                return bytes(getattr(key, verb)(said, **how))
        finally:
            library.finalize()


@contextmanager
def _alone(module: str) -> Iterator[None]:
    """One process of a machine at a time: they all start at once, and SoftHSM loses a token that two log in to."""
    try:
        handle = os.open(module, os.O_RDONLY)
    except OSError as failed:
        raise SealError(f"pkcs11: module-path cannot be read: {failed.strerror}") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _pin(said: dict[str, str]) -> str | None:
    """The PIN: itself, or in the file that ``pin-source`` names."""
    source = said.get("pin-source")
    if source is None:
        return said.get("pin-value")
    try:
        return Path(source.removeprefix(FILE)).read_text("utf-8").strip()
    except OSError as failed:
        raise SealError(f"pkcs11: pin-source cannot be read: {failed.strerror}") from None
