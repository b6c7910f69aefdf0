"""Token Status List in its JWT form (draft-ietf-oauth-status-list-21), and our list of single revoked tokens (TK-10).

A token names its place by ``status.status_list`` (§6.2): the URI of a list and an index on it. The list has one bit
for each place, and a set bit means that the token counts no more (§7.1, INVALID).
"""

import json
import zlib
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from .credential import base64url

TYPE = "statuslist+jwt"
REVOKED_TYPE = "revoked-tokens+jwt"
TTL = 60
"""Seconds that a list may be kept without asking again (§5.1); it is signed anew at half of that."""

VALID_SECONDS = 3600
"""Seconds after which a list that was not renewed tells nothing any more: no old one can be replayed for longer."""

RENEWED = TTL // 2
REVOKED = "revoked"
VERSION = "version"
VERSION_CHARACTERS = 22


def base(issuer: str) -> str:
    """Where all lists of *issuer* begin."""
    return issuer.rstrip("/") + "/status/"


def reference(uri: str, index: int) -> dict[str, Any]:
    """The ``status`` claim of a token (§6.2)."""
    return {"status_list": {"idx": index, "uri": uri}}


def encoded(indexes: Iterable[int], size: int) -> dict[str, Any]:
    """The list of *size* entries whose *indexes* are invalid (§4.2): one bit each, the lowest of a byte first."""
    entries = bytearray(size // 8)
    for index in indexes:
        entries[index >> 3] |= 1 << (index & 7)
    return {"bits": 1, "lst": base64url(zlib.compress(bytes(entries), 9))}


def issued_at(now: float, changed_at: int) -> int:
    """The ``iat`` of a list that last changed at *changed_at* (Unix seconds both).

    Every node comes to the same: a client that goes from one to the other does not meet an older one.
    """
    return max(int(now) // RENEWED * RENEWED, changed_at)


def envelope(issuer: str, uri: str, at: int) -> dict[str, Any]:
    """The claims that both kinds of lists have (§5.1)."""
    return {"iss": issuer, "sub": uri, "iat": at, "exp": at + VALID_SECONDS, "ttl": TTL}


def version(content: Mapping[str, Any]) -> str:
    """What changes when the *content* of a list does, and only then: 128 bits of its SHA-256, as base64url."""
    return base64url(sha256(json.dumps(content).encode()).digest())[:VERSION_CHARACTERS]


def summary(keys: Iterable[str], versions: Mapping[str, str]) -> dict[str, Any]:
    """What a guard asks for once in each of its cycles, instead of all that it keeps (TK-10; our own).

    The names of the published *keys*, and for each list of one resource, by the last part of its URI, which of its
    *versions* is served now. Who has those has nothing else to ask.
    """
    return {"keys": sorted(keys), "lists": dict(sorted(versions.items()))}
