"""Public keys of clients, as JWKs (RFC 7517): which are taken, and for which algorithms.

A key is bound to the algorithms that fit it when it is read, so that no assertion can choose another use for it
(RFC 8725 §3.1). What a JWK says beside its key (``x5c``, ``x5u``) is not read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from .errors import InvalidClientMetadata

ALGORITHMS = ("ES256", "EdDSA", "PS256", "RS256")
"""Of signatures that prove a client, best first. None is symmetric, and ``none`` is not among them."""

MOST_KEYS = 10
MOST_REMEMBERED = 1024
MOST_CHARACTERS = 1400  # of a member: a modulus of 8192 bits has 1366
MOST_EXPONENT = 6  # characters: larger ones make each verification slow
RSA_BITS = range(2048, 8193)
FITTING = {("EC", "P-256"): ("ES256",), ("OKP", "Ed25519"): ("EdDSA",), ("RSA", None): ("PS256", "RS256")}
MEMBERS = ("kty", "crv", "x", "y", "n", "e", "alg", "kid", "use")
SECRET = frozenset({"d", "dp", "dq", "k", "oth", "p", "q", "qi"})


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that can prove its client, with the ``algorithms`` that it may be used with."""

    kid: str | None
    algorithms: tuple[str, ...]
    key: Any

    def verifies(self, alg: str, message: bytes, signature: bytes) -> bool:
        """Whether *signature* over *message* is this key's; never with an algorithm that does not fit it."""
        return alg in self.algorithms and jwt.get_algorithm_by_name(alg).verify(message, self.key, signature)


def read(jwk: Mapping[str, Any]) -> PublicKey | None:
    """The key of *jwk*, or None for one that is of no use here: of another type or purpose, malformed, too weak."""
    members = tuple(jwk.get(member) for member in MEMBERS)
    operations = jwk.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        return None
    if not all(value is None or (isinstance(value, str) and len(value) <= MOST_CHARACTERS) for value in members):
        return None
    return _parsed(members)


def public_set(found: object) -> dict[str, Any]:
    """The JWK Set that a client sent, reduced to the public members of the keys that are of use here.

    Raises `InvalidClientMetadata` for anything that is no set of public keys, and for one without a usable key.
    """
    keys = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise InvalidClientMetadata("jwks must be a JWK Set: an object with a list of keys (RFC 7517 section 5)")
    if len(keys) > MOST_KEYS:
        raise InvalidClientMetadata(f"jwks has at most {MOST_KEYS} keys")
    if any(SECRET & key.keys() for key in keys):
        raise InvalidClientMetadata("jwks must hold public keys only; whoever has seen these can use them: make others")
    usable = [{member: key[member] for member in MEMBERS if member in key} for key in keys if read(key)]
    if not usable:
        offered = ", ".join(ALGORITHMS)
        raise InvalidClientMetadata(f"jwks has no key for {offered} (P-256, Ed25519, or RSA of 2048 to 8192 bits)")
    return {"keys": usable}


@lru_cache(maxsize=MOST_REMEMBERED)
def _parsed(values: tuple[str | None, ...]) -> PublicKey | None:
    """Reading an RSA key costs more than a verification, so each is read once."""
    jwk = {member: value for member, value in zip(MEMBERS, values, strict=True) if value is not None}
    fitting = FITTING.get((jwk.get("kty", ""), jwk.get("crv")), ())
    algorithms = tuple(alg for alg in fitting if alg == jwk.get("alg", alg))
    if not algorithms or jwk.get("use", "sig") != "sig" or len(jwk.get("e", "")) > MOST_EXPONENT:
        return None
    try:
        key = jwt.PyJWK(jwk, algorithms[0]).key
    except (jwt.PyJWTError, ValueError, TypeError, LookupError):
        return None
    if isinstance(key, RSAPublicKey) and key.key_size not in RSA_BITS:
        return None
    return PublicKey(jwk.get("kid"), algorithms, key)
