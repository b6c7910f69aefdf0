"""Key pairs: making them, and turning them into JWKs and back (RFC 7517, RFC 7638)."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from ..protocol.credential import base64url

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
ES256 = ec.ECDSA(hashes.SHA256())
P256_BYTES = 32  # of each of the two numbers (RFC 7518 §3.4)
_THUMBPRINT_MEMBERS = ("crv", "e", "kty", "n", "x", "y")

_MAKERS: dict[str, Callable[[], PrivateKey]] = {
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A signing key with its public JWK, whose ``kid`` is its RFC 7638 thumbprint."""

    private: PrivateKey
    public_jwk: dict[str, Any]

    @property
    def kid(self) -> str:
        """The key's name in token headers and JWKS."""
        return str(self.public_jwk["kid"])

    @property
    def alg(self) -> str:
        """``ES256``, ``RS256`` or ``EdDSA``."""
        return str(self.public_jwk["alg"])

    def sign(self, said: bytes) -> bytes:
        """The signature over *said* as a JWS has it (RFC 7518 §3, RFC 8037 §3.1)."""
        if self.public_jwk["alg"] == "ES256":  # what most tokens are signed by, without detours
            r, s = decode_dss_signature(cast(ec.EllipticCurvePrivateKey, self.private).sign(said, ES256))
            return r.to_bytes(P256_BYTES) + s.to_bytes(P256_BYTES)
        signature: bytes = jwt.get_algorithm_by_name(self.alg).sign(said, self.private)
        return signature

    def private_jwk(self) -> dict[str, Any]:
        """The whole key as a JWK: a secret."""
        private = jwt.get_algorithm_by_name(self.alg).to_jwk(self.private, as_dict=True)
        return {**{member: private[member] for member in private if member != "key_ops"}, **self.public_jwk}

    def to_der(self) -> bytes:
        """The private key as PKCS #8 DER, to be sealed."""
        return self.private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def generate(alg: str) -> KeyPair:
    """A new key pair for *alg*: P-256, RSA with 2048 bits, or Ed25519."""
    return _pair(_MAKERS[alg](), alg)


def load(der: bytes, alg: str) -> KeyPair:
    """The key pair of a private key that `KeyPair.to_der` gave."""
    private = load_der_private_key(der, password=None)
    if not isinstance(private, PrivateKey):
        raise TypeError("not a signing key")
    return _pair(private, alg)


def _pair(private: PrivateKey, alg: str) -> KeyPair:
    jwk = _public_jwk(private)
    return KeyPair(private, {**jwk, "kid": thumbprint(jwk), "use": "sig", "alg": alg})


def _public_jwk(private: PrivateKey) -> dict[str, Any]:
    if isinstance(private, ec.EllipticCurvePrivateKey):
        found = ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
    elif isinstance(private, rsa.RSAPrivateKey):
        found = RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
    else:
        found = OKPAlgorithm.to_jwk(private.public_key(), as_dict=True)
    return {member: found[member] for member in _THUMBPRINT_MEMBERS if member in found}


def thumbprint(jwk: dict[str, Any]) -> str:
    """The RFC 7638 thumbprint of a public *jwk*, base64url."""
    members = {member: jwk[member] for member in _THUMBPRINT_MEMBERS if member in jwk}
    text = json.dumps(members, sort_keys=True, separators=(",", ":"))
    return base64url(hashlib.sha256(text.encode()).digest())
