"""Secrets that we hand out: how they are made, and what is kept of them (TK-6).

Each has 256 bits of entropy behind a prefix that scanners of leaked secrets can recognise. The database keeps
the SHA-256 digest only; with that much entropy a slow hash would protect nothing (RFC 6819 §5.1.4.1.3).
"""

import base64
import hashlib
import hmac
import secrets
from enum import StrEnum

DIGEST_BYTES = 32


class Prefix(StrEnum):
    """What a secret is, readable by people and by leak scanners."""

    CODE = "mcpc_"
    ACCESS = "mcpa_"
    REFRESH = "mcpr_"
    CLIENT_SECRET = "mcps_"  # noqa: S105 - a prefix, not a secret
    REGISTRATION = "mcpg_"
    INITIAL_ACCESS = "mcpi_"
    SESSION = "mcpw_"
    LINK = "mcpl_"
    HALF_SIGN_IN = "mcph_"


def mint(prefix: Prefix) -> str:
    """A new secret: *prefix* and 43 URL-safe characters (256 random bits)."""
    return prefix + secrets.token_urlsafe(32)


def derived(prefix: Prefix, secret: str, said: str) -> str:
    """What *secret*, which has 256 random bits, and *said* always give: nobody without the one can tell it."""
    return prefix + base64url(hmac.digest(secret.encode(), said.encode("utf-8", "surrogatepass"), "sha256"))


def identifier() -> str:
    """A new public identifier: 22 URL-safe characters (128 random bits), never with a leading ``-``."""
    while (made := secrets.token_urlsafe(16)).startswith("-"):
        pass
    return made


def digest(secret: str) -> bytes:
    """What is stored and looked up in place of *secret*: its SHA-256, 32 bytes."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def matches(secret: str, stored: bytes) -> bool:
    """Whether *secret* is the one behind the *stored* digest, compared in constant time."""
    return hmac.compare_digest(digest(secret), stored)


def base64url(data: bytes) -> str:
    """*data* as unpadded base64url text (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def from_base64url(text: str) -> bytes | None:
    """What `base64url` made *text* of; None if it made it of nothing."""
    try:
        found = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    return found if base64url(found) == text else None
