"""An issuer whose lists of revoked tokens tests write, true ones and others; and guards that look often."""

import asyncio
import base64
import json
import time
import zlib
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import jwt

from mcp_token_guard import Guard, TokenRefused
from tests.middleware.issuer import RESOURCE, Issuer, SigningKey, es256

SIZE = 1024
# Due all the time, and too old never: a test of what is too old moves a clock.
INTERVAL, BOUND = 0.05, 60.0
PATIENCE = 30  # seconds, on a busy machine
TAG = base64.urlsafe_b64encode(sha256(RESOURCE.encode()).digest()).decode()[:22]


@dataclass
class Published:
    """An issuer with lists: tests say what is on them, and how they lie."""

    issuer: Issuer
    key: SigningKey = field(default_factory=lambda: es256("lists"))
    size: int = SIZE
    versions: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.issuer.extra_keys = [{**self.key.jwk, "purpose": "status"}]
        self.issuer.metadata["revoked_tokens_uri_template"] = self.url("/status/{resource}/revoked")
        self.status()
        self.revoked()

    def url(self, path: str) -> str:
        return self.issuer.url + path

    def status(self, *invalid: int, path: str = "/status/t/7", content: Any = None, **changes: Any) -> bytes:
        """Publish a status list with *invalid* entries."""
        data = bytearray(self.size // 8)
        for index in invalid:
            data[index // 8] |= 1 << index % 8
        packed = {"bits": 1, "lst": packed_of(bytes(data))}
        return self._publish(path, "statuslist+jwt", {"status_list": packed if content is None else content}, changes)

    def revoked(self, *jti: Any, **changes: Any) -> bytes:
        """Publish the list of single revoked tokens."""
        path = f"/status/{TAG}/revoked"
        return self._publish(path, "revoked-tokens+jwt", {"revoked": list(jti)}, changes)

    def summary(self, **changes: Any) -> None:
        """Publish the summary of what is published now."""
        names = [key.kid for key in self.issuer.keys] + [key["kid"] for key in self.issuer.extra_keys]
        below = f"/status/{TAG}/"
        lists = {path.removeprefix(below): each for path, each in self.versions.items() if path.startswith(below)}
        said = {"keys": names, "lists": lists, **changes}
        self.issuer.metadata["status_summary_uri_template"] = self.url("/status/{resource}")
        self.issuer.overrides[f"/status/{TAG}"] = (200, json.dumps(said).encode())

    def token(self, index: Any = 3, uri: str | None = None, **changes: Any) -> str:
        """An access token with a place on the list."""
        reference = {"idx": index, "uri": self.url("/status/t/7") if uri is None else uri}
        return self.issuer.token(**{"status": {"status_list": reference}, **changes})

    def _publish(self, path: str, typ: str, content: dict[str, Any], changes: dict[str, Any]) -> bytes:
        key = changes.pop("key", self.key)
        header = {"typ": changes.pop("typ", typ), "kid": changes.pop("kid", key.kid)}
        now = time.time()
        claims = {"iss": self.issuer.url, "sub": self.url(path), "iat": now, "exp": now + 600, "ttl": 60, **content}
        self.versions[path] = sha256(json.dumps(content).encode()).hexdigest()
        payload = json.dumps({**claims, "version": self.versions[path], **changes}).encode()
        body = jwt.PyJWS().encode(payload, key.private, key.algorithm, headers=header).encode()
        self.issuer.overrides[path] = (200, body)
        return body


def packed_of(data: bytes) -> str:
    return base64.urlsafe_b64encode(zlib.compress(data, 9)).decode().rstrip("=")


def guard_of(issuer: Issuer, **settings: Any) -> Guard:
    told = {"keys_interval": INTERVAL, "keys_bound": BOUND, **settings}
    return Guard(RESOURCE, issuer=issuer.url, scopes=["notes:read"], **told)


async def refused(guard: Guard, token: str, why: str) -> None:
    """Go on using *token* until it is refused."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                await guard.verify(token)
            except TokenRefused as refusal:
                assert why in refusal.message
                return
            await asyncio.sleep(0.005)
