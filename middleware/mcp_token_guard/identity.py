"""The guard's own identity at the authorization server: a client with a key, proven anew at each request (RS-11).

The file is the one that ``authserver resource add --guard-key FILE`` writes. What the guard asks as itself goes to the
endpoints of the configured issuer's metadata and nowhere else; the key never leaves the process.
"""

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import jwt
from jwt import PyJWK

from . import strict_json
from .background import ask
from .discovery import ServerMetadata
from .fetch import FetchError, post
from .freshness import KeptFresh
from .urls import trusted

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Identity:
    """A client id and its private key."""

    client_id: str
    key: PyJWK = field(repr=False)

    @classmethod
    def read(cls, path: str | PathLike[str]) -> "Identity":
        """The identity in the file at *path*, a private JWK with a ``client_id``.

        Raises `ValueError`, which says nothing of the key.
        """
        try:
            members = strict_json.loads(Path(path).read_bytes())
        except (OSError, ValueError) as wrong:
            raise ValueError(f"the guard's key cannot be read: {path}: {type(wrong).__name__}") from None
        client_id = members.get("client_id") if isinstance(members, dict) else None
        if not isinstance(members, dict) or not isinstance(client_id, str) or not client_id or "d" not in members:
            raise ValueError(f"{path} is not a guard's key: 'authserver resource credentials' makes one")
        try:
            return cls(client_id, PyJWK(members))
        except (jwt.PyJWTError, ValueError, TypeError, LookupError):
            raise ValueError(f"{path} holds no key that can sign") from None

    def proof(self, issuer: str) -> dict[str, str]:
        """The parameters that prove it to *issuer*, once (RFC 7523 §2.2)."""
        now = int(time.time())
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": issuer,
            "jti": secrets.token_urlsafe(16),
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
        }
        algorithm = self.key.algorithm_name
        signed = jwt.PyJWS().encode(json.dumps(claims).encode(), self.key.key, algorithm, {"kid": self.key.key_id})
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}


class AsItself:
    """What the guard says to its issuer as itself."""

    def __init__(self, identity: Identity, issuer: str, metadata: KeptFresh[ServerMetadata]) -> None:
        self._identity = identity
        self._issuer = issuer
        self._metadata = metadata

    async def say(self, endpoint: str, form: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        """Status and JSON body of the answer to *form* at the *endpoint* that the metadata names.

        Runs in the guard's own thread, whoever waits. Raises `FetchError` where there is no such endpoint or no
        readable answer, and `IssuerUnavailable` when there is no metadata.
        """
        return await ask(self._say(endpoint, form))

    async def _say(self, endpoint: str, form: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        url = (await self._metadata.current()).members.get(endpoint)
        if not isinstance(url, str):
            raise FetchError(f"the authorization server has no {endpoint}")
        try:
            trusted(url, endpoint)
        except ValueError as wrong:
            raise FetchError(str(wrong)) from None
        status, body = await post(url, {**form, **self._identity.proof(self._issuer)})
        try:
            found = strict_json.loads(body)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise FetchError(f"{url} answered {status} without a JSON object")
        return status, found
