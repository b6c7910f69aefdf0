"""Client assertions: JWTs by which a client proves that it has its key (RFC 7521 §4.2, RFC 7523 §3, CR-12).

Of a header, ``alg``, ``kid`` and ``typ`` are read, and nothing that says where a key might be (``jku``, ``x5u``,
``jwk``): keys are the client's registered ones, and each decides itself which ``alg`` it takes (RFC 8725 §3).
"""

import base64
import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from . import credential, strict_json

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MOST_CHARACTERS = 8192
LONGEST_LIFE = 300  # seconds
LEEWAY = 30  # seconds that clocks may differ
LAST_SECOND = 10**12
COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
TYPES = frozenset({"jwt", "client-authentication+jwt", "application/client-authentication+jwt"})
REFUSED_HEADERS = ("b64", "crit")  # extensions that must be understood (RFC 7515 §4.1.11, RFC 7797), and are not


class BadAssertion(ValueError):
    """The assertion is not good; the text is for the log only."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """An assertion as it was sent: what it claims is not proven before a key of the client has verified it."""

    client_id: str
    alg: str
    kid: str | None
    claims: dict[str, Any]
    signed: bytes
    signature: bytes


def parse(text: str) -> Assertion:
    """Read the compact form (RFC 7515 §7.1). Raises `BadAssertion`."""
    parts = COMPACT.fullmatch(text) if len(text) <= MOST_CHARACTERS else None
    if parts is None:
        raise BadAssertion("not a signed JWT, or a very long one")
    try:
        header, claims = (strict_json.loads(_decoded(part)) for part in parts.groups()[:2])
        signature = _decoded(parts[3])
    except ValueError as wrong:
        raise BadAssertion(f"malformed: {wrong}") from None
    alg, kid = _checked(header)
    signed = text[: parts.end(2)].encode("ascii")
    return Assertion(_subject(claims), alg, kid, claims, signed, signature)


def check(assertion: Assertion, audiences: Collection[str], now: float) -> int:
    """Check the claims (RFC 7523 §3); returns when the assertion ends, in Unix seconds. Raises `BadAssertion`.

    The audience is one of *audiences* and nobody else's: an assertion that another server may take as well could
    come from there.
    """
    claims = assertion.claims
    aud = claims.get("aud")
    if isinstance(aud, list) and len(aud) == 1:
        aud = aud[0]
    if not isinstance(aud, str) or aud not in audiences:
        raise BadAssertion("aud is not this issuer alone")
    if not isinstance(claims.get("jti"), str) or not claims["jti"]:
        raise BadAssertion("jti is missing")
    return _check_times(claims, now)


def fingerprint(client_id: str, assertion: Assertion) -> bytes:
    """The digest of *client_id* and the ``jti``: what may be used once. A client's id has no NUL."""
    return credential.digest(f"{client_id}\0{assertion.claims['jti']}")


def _checked(header: dict[str, Any]) -> tuple[str, str | None]:
    alg, kid, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    if not isinstance(alg, str) or not isinstance(kid, str | None):
        raise BadAssertion("alg or kid is not text")
    if not isinstance(kind, str) or kind.lower() not in TYPES:
        raise BadAssertion("typ is that of another kind of JWT")
    if any(name in header for name in REFUSED_HEADERS):
        raise BadAssertion("the header asks for an extension")
    return alg, kid


def _subject(claims: dict[str, Any]) -> str:
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject or claims.get("iss") != subject:
        raise BadAssertion("iss and sub are not the client's id")
    return subject


def _check_times(claims: dict[str, Any], now: float) -> int:
    expires_at, issued_at, valid_from = (_seconds(claims, name) for name in ("exp", "iat", "nbf"))
    if expires_at is None or expires_at <= now - LEEWAY:
        raise BadAssertion("it has expired, or says no exp")
    if expires_at > now + LONGEST_LIFE + LEEWAY:
        raise BadAssertion("exp is more than five minutes ahead")
    if issued_at is not None and issued_at < now - LONGEST_LIFE - LEEWAY:
        raise BadAssertion("iat is more than five minutes ago")
    if max(issued_at or 0, valid_from or 0) > now + LEEWAY:
        raise BadAssertion("it is not valid yet")
    return math.ceil(expires_at)


def _seconds(claims: dict[str, Any], name: str) -> float | None:
    """A NumericDate (RFC 7519 §2), in Unix seconds; None if it is left out."""
    value = claims.get(name)
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < LAST_SECOND:
        raise BadAssertion(f"{name} is not a time")
    return value


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
