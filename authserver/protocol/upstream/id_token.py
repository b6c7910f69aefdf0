"""ID tokens: what a provider says of who signed in, and whether to believe it (OpenID Connect Core 1.0 §3.1.3.7).

Of a header, ``alg`` and ``kid`` are read, and nothing that says where a key might be: keys are those of the issuer's
key set, and each decides itself which ``alg`` it takes (RFC 8725 §3). Claims are checked by Authlib.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc.errors import JoseError

from .. import jwk, strict_json
from .flaw import Unbelievable

MOST_CHARACTERS = 64 * 1024  # some say all groups of a person
MOST_KEYS = 100
LEEWAY = 60  # seconds that clocks may differ
LONGEST_AGE = 600  # seconds: it was made for the answer that it came in
COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
TYPES = frozenset({"jwt", "application/jwt"})


@dataclass(frozen=True, slots=True)
class IdToken:
    """An ID token as it came: what it claims is not proven before `verified_by` and `check`."""

    header: dict[str, Any]
    claims: dict[str, Any]
    signed: bytes
    signature: bytes

    def verified_by(self, keys: Sequence[jwk.PublicKey]) -> bool:
        """Whether the signature is one of *keys*; those with another ``kid`` than the header's are not tried."""
        kid, alg = self.header.get("kid"), self.header["alg"]
        fitting = (key for key in keys if kid is None or key.kid is None or key.kid == kid)
        return any(key.verifies(alg, self.signed, self.signature) for key in fitting)


@dataclass(frozen=True, slots=True)
class Expected:
    """What an ID token has to say: for this ``client_id``, of this ``issuer``, to this ``nonce``.

    ``since``: the person proved who they are no earlier, in Unix seconds; None if it does not matter when.
    """

    issuer: str
    client_id: str
    nonce: str
    since: int | None = None


def parse(text: object) -> IdToken:
    """Read the compact form (RFC 7515 §7.1). Raises `Unbelievable`."""
    parts = COMPACT.fullmatch(text) if isinstance(text, str) and len(text) <= MOST_CHARACTERS else None
    if parts is None:
        raise Unbelievable("the ID token is not a signed JWT, or a very long one")
    try:
        header, claims = (strict_json.exact(_decoded(part)) for part in parts.groups()[:2])
        found = IdToken(header, claims, parts.string[: parts.end(2)].encode("ascii"), _decoded(parts[3]))
    except ValueError as wrong:
        raise Unbelievable(f"the ID token is malformed: {wrong}") from None
    kind = header.get("typ", "JWT")
    if header.get("alg") not in jwk.ALGORITHMS:  # never "none", never symmetric
        raise Unbelievable("the ID token is signed by an algorithm that is not taken")
    if not isinstance(kind, str) or kind.lower() not in TYPES or "crit" in header or "b64" in header:
        raise Unbelievable("the ID token is another kind of JWT, or asks for an extension")
    return found


def keys(body: str) -> tuple[jwk.PublicKey, ...]:
    """The usable keys of the key set *body* (RFC 7517 §5). Raises `Unbelievable` if there are none."""
    try:
        listed = strict_json.loads(body.encode()).get("keys")
    except ValueError as wrong:
        raise Unbelievable(f"the key set is not JSON: {wrong}") from None
    if not isinstance(listed, list) or len(listed) > MOST_KEYS:
        raise Unbelievable("the key set has no list of keys, or a very long one")
    usable = tuple(key for each in listed if isinstance(each, dict) and (key := jwk.read(each)))
    if not usable:
        raise Unbelievable("the key set has no key that is of use here")
    return usable


def check(token: IdToken, expected: Expected, access_token: str, now: int) -> None:
    """Check the claims of *token*, whose signature is right (§3.1.3.7). Raises `Unbelievable`."""
    options = {"iss": {"value": expected.issuer}, "aud": {"value": expected.client_id}}
    told = {"nonce": expected.nonce, "client_id": expected.client_id, "access_token": access_token}
    try:
        CodeIDToken(token.claims, token.header, options, told).validate(now, LEEWAY)
    except (JoseError, TypeError, ValueError) as wrong:
        raise Unbelievable(f"the ID token is not right: {wrong}") from None
    if token.claims["aud"] not in (expected.client_id, [expected.client_id]):
        raise Unbelievable("the ID token is for others too, whom nobody here trusts")
    if not now - LONGEST_AGE - LEEWAY <= _seconds(token.claims, "iat") <= now + LEEWAY:
        raise Unbelievable("the ID token is an old one, or not yet made")
    if expected.since is not None and _seconds(token.claims, "auth_time") < expected.since - LEEWAY:
        raise Unbelievable("the person did not prove anew who they are")


def _seconds(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unbelievable(f"the ID token does not say {name}")
    return value


def _decoded(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
