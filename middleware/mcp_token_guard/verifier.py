"""Is this access token good, here and now? RFC 9068 §4, under the rules of RFC 8725.

Signature by PyJWT with a key of the issuer; every claim by a rule of its own below. What passed is remembered by the
token's hash until it expires, and forgotten at once when the issuer's keys change. An opaque token is the issuer's to
read (`introspection`); what it says goes by the same rules.
"""

import base64
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType
from typing import Any

import jwt

from . import strict_json
from .caller import Caller
from .introspection import OPAQUE, Introspection
from .keys import Keys, KeySet
from .limits import UNLIMITED, Limits, from_claim
from .refusals import TokenRefused
from .revocation import Revocations
from .scopes import Hierarchy

MOST_CHARACTERS = 8192
MOST_SCOPES = 256
MOST_REMEMBERED = 10_000
LAST_SECOND = 10**12
TYPES = ("at+jwt", "application/at+jwt")


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token has to say: who issued it, for which resource; ``leeway`` in seconds, for clocks that differ."""

    issuer: str
    resource: str
    algorithms: tuple[str, ...]
    leeway: float


class _Memory:
    """Who was verified by *keys*, by the token's hash: given up as a whole when the keys change."""

    def __init__(self, keys: KeySet | None) -> None:
        self.keys = keys
        self.callers: dict[bytes, Caller] = {}

    def remember(self, digest: bytes, caller: Caller) -> None:
        while len(self.callers) >= MOST_REMEMBERED:
            with suppress(KeyError, RuntimeError, StopIteration):  # another thread was here
                del self.callers[next(iter(self.callers))]
        self.callers[digest] = caller


class Verifier:
    """Turns the text of a token into a `Caller`, or refuses it."""

    def __init__(
        self,
        expected: Expected,
        keys: Keys,
        hierarchy: Hierarchy,
        revocations: Revocations,
        introspection: Introspection,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._expected = expected
        self._keys = keys
        self._hierarchy = hierarchy
        self._revocations = revocations
        self._introspection = introspection
        self._clock = clock
        self._signatures = jwt.PyJWS(algorithms=expected.algorithms)
        self._memory = _Memory(None)

    async def verify(self, token: str) -> Caller:
        """The caller that *token* speaks for.

        Raises `TokenRefused`, or `IssuerUnavailable` when there are no keys to judge by, or nobody to ask.
        """
        if len(token) > MOST_CHARACTERS or not token.isascii():
            raise TokenRefused("the token is too long, or not a JWT")
        if token.startswith(OPAQUE):
            return self._caller(await self._introspection.claims(token))
        keys = await self._keys.current()
        memory = self._memory
        if keys is not memory.keys:
            memory = self._memory = _Memory(keys)
        digest = sha256(token.encode()).digest()
        caller = memory.callers.get(digest)
        if caller is None:
            caller = await self._judge(token)
            memory.remember(digest, caller)
        elif self._clock() >= caller.expires_at + self._expected.leeway:
            memory.callers.pop(digest, None)
            raise TokenRefused("the token has expired")
        await self._revocations.check(caller.claims)
        return caller

    async def _judge(self, token: str) -> Caller:
        kid = self._key_id(token)
        key = await self._keys.find(kid)
        if key is None:
            raise TokenRefused("the token is signed by an unknown key")
        try:
            payload = self._signatures.decode(token, key, [key.algorithm_name])
        except jwt.PyJWTError:
            raise TokenRefused("the token's signature is not valid") from None
        return self._caller(_object(payload))

    def _key_id(self, token: str) -> str:
        """The `kid` of a token whose header is acceptable; `jku`, `x5u`, `jwk` and their like are never read."""
        header = _object(_decoded(token.partition(".")[0]))
        algorithm, kind, kid = header.get("alg"), header.get("typ"), header.get("kid")
        if algorithm not in self._expected.algorithms:
            raise TokenRefused("the token's algorithm is not accepted here")
        if not isinstance(kind, str) or kind.lower() not in TYPES:
            raise TokenRefused("this is not an access token (typ is not at+jwt)")
        if not isinstance(kid, str):
            raise TokenRefused("the token does not name its key")
        return kid

    def _caller(self, claims: dict[str, Any]) -> Caller:
        self._check_origin(claims)
        expires_at = self._check_times(claims)
        subject, client_id, scope = (_text(claims, name) for name in ("sub", "client_id", "scope"))
        if not subject or not client_id:
            raise TokenRefused("the token does not say who calls (sub, client_id)")
        granted = scope.split(" ")
        if len(granted) > MOST_SCOPES:
            raise TokenRefused("the token's scope has too many names")
        scopes = self._hierarchy.reach(granted) - {""}
        resource = self._expected.resource
        limits = _limits(claims, resource)
        return Caller(subject, client_id, scopes, expires_at, resource, MappingProxyType(claims), limits)

    def _check_origin(self, claims: dict[str, Any]) -> None:
        if claims.get("iss") != self._expected.issuer:
            raise TokenRefused("the token is from another issuer")
        if claims.get("aud") not in (self._expected.resource, [self._expected.resource]):
            raise TokenRefused("the token is for another resource")

    def _check_times(self, claims: dict[str, Any]) -> int:
        now, leeway = self._clock(), self._expected.leeway
        expires_at, _issued_at = _seconds(claims, "exp"), _seconds(claims, "iat")
        if now >= expires_at + leeway:
            raise TokenRefused("the token has expired")
        # Not by iat (RFC 7519 §4.1.6 does not ask for it): the issuer's clock may be ahead of ours.
        if _seconds(claims, "nbf", 0) > now + leeway:
            raise TokenRefused("the token is not valid yet")
        return int(expires_at)


def _decoded(segment: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except ValueError:
        raise TokenRefused("the token is not a JWT") from None


def _object(text: bytes) -> dict[str, Any]:
    try:
        value = strict_json.loads(text)
    except ValueError:
        raise TokenRefused("the token is not a JWT") from None
    if not isinstance(value, dict):
        raise TokenRefused("the token is not a JWT")
    return value


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name, "")
    if not isinstance(value, str):
        raise TokenRefused(f"the token's {name} is not a string")
    return value


def _limits(claims: dict[str, Any], resource: str) -> Limits:
    if "authorization_details" not in claims:
        return UNLIMITED
    try:
        return from_claim(claims["authorization_details"], resource)
    except ValueError as wrong:
        raise TokenRefused(f"the token cannot be read: {wrong}") from None


def _seconds(claims: dict[str, Any], name: str, default: float | None = None) -> float:
    """A NumericDate (RFC 7519 §2), in Unix seconds."""
    value = claims.get(name, default)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < LAST_SECOND:
        raise TokenRefused(f"the token's {name} is not a time")
    return value
