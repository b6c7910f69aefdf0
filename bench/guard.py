"""The guard's processor time per call, beside FastMCP's JWTVerifier and PyJWT alone, by the same key and tokens."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from operator import sub
from typing import Any

import jwt
from fastmcp.server.auth.providers.jwt import JWTVerifier

from mcp_token_guard import Guard

from .contestant import BenchError
from .issuer import Issuer, issuer
from .report import Cost

RESOURCE = "http://localhost:9001/mcp"
SCOPE = "notes:read notes:write"
TOKENS = 1_000
REPETITIONS = 10_000
CALL = json.dumps(
    {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "write_note", "arguments": {"title": "Minutes", "text": "word " * 380}},
    }
).encode()  # 2 KB

Verify = Callable[[str], Awaitable[object]]


def costs(pairs: int) -> list[Cost]:
    """Measure *pairs* times, the guard and its peer in turn. Raises `BenchError` if one of them refuses."""
    with issuer() as authority:
        return asyncio.run(_Costs(authority).measure(pairs))


class _Costs:
    def __init__(self, authority: Issuer) -> None:
        self._issuer = authority
        self._tokens = [authority.token(RESOURCE, SCOPE) for _ in range(TOKENS)]
        self._repeated = [self._tokens[0]] * REPETITIONS

    async def measure(self, pairs: int) -> list[Cost]:
        found = [await self._pair() for _ in range(pairs + 1)][1:]  # the first one warms up
        ours, peer, library = zip(*found, strict=True)
        new, repeated, got, posted = zip(*ours, strict=True)
        peer_new, peer_repeated = zip(*peer, strict=True)
        return [
            Cost("new token", new, peer_new, library),
            Cost("repeated token", repeated, peer_repeated, library),
            Cost("whole request without body", got),
            Cost("whole request, tools/call of 2 KB", posted),
            Cost("body check of it", tuple(map(sub, posted, got))),
        ]

    async def _pair(self) -> tuple[tuple[float, ...], tuple[float, ...], float]:
        guard = Guard(RESOURCE, issuer=self._issuer.url, scopes="notes:read", tools={"write_note": "notes:write"})
        verifier = JWTVerifier(
            jwks_uri=self._issuer.jwks_uri, issuer=self._issuer.url, audience=RESOURCE, algorithm="ES256"
        )
        spare = self._issuer.token(RESOURCE, SCOPE)
        await guard.verify(spare)  # fetches the keys
        await verifier.verify_token(spare)
        ours = (
            await _verifying(guard.verify, self._tokens),
            await _verifying(guard.verify, self._repeated),
            await _admitting(guard, _got(self._tokens[0]), b""),
            await _admitting(guard, _posted(self._tokens[0], CALL), CALL),
        )
        peer = (
            await _verifying(verifier.verify_token, self._tokens),
            await _verifying(verifier.verify_token, self._tokens[:1] * TOKENS),
        )
        return ours, peer, self._library()

    def _library(self) -> float:
        """CPU microseconds per token, with PyJWT and the key in hand."""
        key = self._issuer.key.public_key()
        before = time.process_time()
        for token in self._tokens:
            jwt.decode(token, key, ["ES256"], audience=RESOURCE, issuer=self._issuer.url)
        return (time.process_time() - before) * 1e6 / len(self._tokens)


async def _verifying(verify: Verify, tokens: Sequence[str]) -> float:
    """CPU microseconds per token."""
    before = time.process_time()
    results = [await verify(token) for token in tokens]
    spent = time.process_time() - before
    if None in results:
        raise BenchError("a good token was refused")
    return spent * 1e6 / len(tokens)


async def _admitting(guard: Guard, scope: dict[str, Any], body: bytes) -> float:
    """CPU microseconds that a request spends in the guard, with nothing behind it."""
    reached = 0

    async def behind(_scope: object, _receive: object, _send: object) -> None:
        nonlocal reached
        reached += 1

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(_event: object) -> None:
        return

    app = guard.asgi(behind)
    before = time.process_time()
    for _ in range(REPETITIONS):
        await app(scope, receive, send)
    spent = time.process_time() - before
    if reached != REPETITIONS:
        raise BenchError("a good call was refused")
    return spent * 1e6 / REPETITIONS


def _got(token: str) -> dict[str, Any]:
    headers = [
        (b"host", b"localhost:9001"),
        (b"authorization", f"Bearer {token}".encode()),
        (b"accept", b"application/json, text/event-stream"),
    ]
    return {"type": "http", "method": "GET", "path": "/mcp", "query_string": b"", "headers": headers}


def _posted(token: str, body: bytes) -> dict[str, Any]:
    scope = _got(token)
    of_body = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"mcp-method", b"tools/call"),
        (b"mcp-name", b"write_note"),
    ]
    return {**scope, "method": "POST", "headers": [*scope["headers"], *of_body]}
