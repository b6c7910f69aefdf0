"""Software statements: what somebody else says of a client, signed (RFC 7591 §2.3).

A trusted issuer's claims win over the client's own words. A statement can be copied by anyone who sees it; so it
vouches for a client only where it settles all that people know it by: its name and its redirect URIs.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import strict_json
from ..client import VOUCHED_BY
from ..client_assertion import COMPACT
from ..errors import InvalidSoftwareStatement, UnapprovedSoftwareStatement
from ..jwk import PublicKey

MEMBER = "software_statement"
MOST_CHARACTERS = 16_384
LEEWAY = 60  # seconds that clocks may differ
TYPES = (None, "jwt", "software-statement+jwt")
NOT_METADATA = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "client_secret", MEMBER})
KNOWN_BY = frozenset({"client_name", "redirect_uris"})
SHOWN = frozenset({"client_uri", "logo_uri", "tos_uri", "policy_uri", "contacts"})
KEYS = frozenset({"jwks", "jwks_uri"})


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as it was sent: what it claims is not proven before a key of its issuer has verified it."""

    text: str
    header: dict[str, Any]
    claims: dict[str, Any]
    signed: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class StatementIssuers:
    """Whose statements are believed: the keys of each ``trusted`` issuer, by its ``iss``; ``audience`` is our own."""

    audience: str
    trusted: Mapping[str, tuple[PublicKey, ...]] = field(default_factory=dict)

    def apply(self, found: dict[str, Any], now: float) -> tuple[dict[str, Any], dict[str, Any]]:
        """The metadata *found* as its statement settles it, and what is to be kept of the statement.

        That of an issuer who is not trusted changes nothing and is merely kept. Raises `InvalidSoftwareStatement`
        and `UnapprovedSoftwareStatement`.
        """
        if found.get(MEMBER) is None:
            return found, {}
        statement = _parse(found[MEMBER])
        kept = {MEMBER: statement.text}
        issuer = statement.claims["iss"]
        if issuer not in self.trusted:
            return found, kept
        _check_signature(statement, self.trusted[issuer])
        _check_times(statement.claims, now)
        self._check_audience(statement.claims)
        said = {name: value for name, value in statement.claims.items() if name not in NOT_METADATA}
        if said.keys() >= KNOWN_BY:
            kept[VOUCHED_BY] = issuer
        return {**_own_words(found, said), **said}, kept

    def _check_audience(self, claims: dict[str, Any]) -> None:
        audience = claims.get("aud", self.audience)
        if self.audience not in (audience if isinstance(audience, list) else [audience]):
            raise UnapprovedSoftwareStatement("the software statement is for another server")


def _own_words(found: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    """What of the client's own words stays beside what is *said* of it."""
    dropped = (SHOWN if said.keys() >= KNOWN_BY else frozenset()) | (KEYS if KEYS & said.keys() else frozenset())
    return {name: value for name, value in found.items() if name.partition("#")[0] not in dropped}


def _parse(text: object) -> Statement:
    parts = COMPACT.fullmatch(text) if isinstance(text, str) and len(text) <= MOST_CHARACTERS else None
    if parts is None:
        raise InvalidSoftwareStatement("software_statement must be a signed JWT in its compact form")
    try:
        header, claims = (strict_json.loads(_decoded(part)) for part in parts.groups()[:2])
        statement = Statement(parts[0], header, claims, parts[0][: parts.end(2)].encode(), _decoded(parts[3]))
    except ValueError:
        raise InvalidSoftwareStatement("software_statement is malformed") from None
    if not isinstance(claims.get("iss"), str):
        raise InvalidSoftwareStatement("software_statement must say its iss (RFC 7591 section 2.3)")
    return statement


def _check_signature(statement: Statement, keys: tuple[PublicKey, ...]) -> None:
    alg, kid, kind = (statement.header.get(name) for name in ("alg", "kid", "typ"))
    if (kind.lower() if isinstance(kind, str) else kind) not in TYPES or {"crit", "b64"} & statement.header.keys():
        raise InvalidSoftwareStatement("software_statement is another kind of JWT")
    fitting = (key for key in keys if kid is None or key.kid is None or key.kid == kid)
    if not isinstance(alg, str) or not any(key.verifies(alg, statement.signed, statement.signature) for key in fitting):
        raise InvalidSoftwareStatement("the signature of software_statement is not that of its iss")


def _check_times(claims: dict[str, Any], now: float) -> None:
    times = {name: claims[name] for name in ("exp", "nbf", "iat") if name in claims}
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in times.values()):
        raise InvalidSoftwareStatement("exp, nbf and iat of software_statement must be numbers")
    if times.get("exp", now) <= now - LEEWAY:
        raise InvalidSoftwareStatement("software_statement has expired")
    if max(times.get("nbf", now), times.get("iat", now)) > now + LEEWAY:
        raise InvalidSoftwareStatement("software_statement is not valid yet")


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
