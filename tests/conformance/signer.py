"""A client's key pair, and the assertions that it makes: good ones, and any other."""

import base64
import json
import time
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from authserver.protocol.client_assertion import TYPE

from .site import ISSUER

MAKERS = {
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "PS256": lambda: rsa.generate_private_key(65537, 2048),
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
}
Members = dict[str, Any]


@dataclass(frozen=True)
class Signer:
    """A private key with its algorithm and name."""

    key: Any
    alg: str
    kid: str | None = "key-1"

    @classmethod
    def new(cls, alg: str = "ES256", kid: str | None = "key-1") -> "Signer":
        """A new key for *alg*."""
        return cls(MAKERS[alg](), alg, kid)

    @property
    def jwk(self) -> Members:
        """The public key."""
        found: Members = jwt.get_algorithm_by_name(self.alg).to_jwk(self.key.public_key(), as_dict=True)
        found.pop("key_ops", None)
        return {**found, **({"kid": self.kid} if self.kid else {})}

    @property
    def jwks(self) -> Members:
        """A set of it alone."""
        return {"keys": [self.jwk]}

    def assertion(self, client_id: str, /, header: Members | None = None, **changes: Any) -> str:
        """An assertion for the site's issuer; a change to None leaves a member out."""
        head = {"alg": self.alg, "typ": "JWT", "kid": self.kid, **(header or {})}
        return self.signed(_json(head), _json({**claims(client_id), **changes}))

    def signed(self, header: bytes, payload: bytes) -> str:
        """A JWS of these very bytes."""
        signing_input = f"{_encoded(header)}.{_encoded(payload)}"
        signature = jwt.get_algorithm_by_name(self.alg).sign(signing_input.encode(), self.key)
        return f"{signing_input}.{_encoded(signature)}"

    def form(self, client_id: str, **changes: Any) -> dict[str, str]:
        """The parameters that present a good assertion."""
        return presenting(self.assertion(client_id, **changes))


def claims(client_id: str) -> Members:
    """Those of a good assertion."""
    now = int(time.time())
    return {"iss": client_id, "sub": client_id, "aud": ISSUER, "jti": uuid4().hex, "iat": now, "exp": now + 60}


def presenting(assertion: str) -> dict[str, str]:
    """The parameters that present *assertion*."""
    return {"client_assertion_type": TYPE, "client_assertion": assertion}


def _json(members: Members) -> bytes:
    return json.dumps({name: value for name, value in members.items() if value is not None}).encode()


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
