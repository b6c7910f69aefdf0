"""Compact JWS (RFC 7515 §7.1), as tokens are written by the thousand: the header of each key is made once."""

import json
from functools import lru_cache
from typing import Any

from ..protocol.credential import base64url
from .pair import KeyPair

ENCODER = json.JSONEncoder(separators=(",", ":"))


def sign(claims: dict[str, Any], key: KeyPair, *, typ: str) -> str:
    """The JWT of type *typ* that says *claims*, signed by *key*."""
    said = f"{_header(key.kid, key.alg, typ)}.{_part(claims)}"
    return f"{said}.{base64url(key.sign(said.encode()))}"


@lru_cache(maxsize=256)
def _header(kid: str, alg: str, typ: str) -> str:
    return _part({"alg": alg, "kid": kid, "typ": typ})


def _part(content: dict[str, Any]) -> str:
    return base64url(ENCODER.encode(content).encode())
