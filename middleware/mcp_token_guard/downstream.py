"""Requests that a server makes in turn: none may carry the token that its caller came with (MCP, Token Passthrough).

A token for this server is known by its audience, whoever's it is and wherever it was kept; an opaque one by having been
here. Bodies are not looked at.
"""

import base64
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import unquote

import httpx2

from .introspection import OPAQUE

if TYPE_CHECKING:
    from .guard import Guard

BETWEEN = re.compile(r"[^A-Za-z0-9_-]+")
SHORTEST = 16


class TokenForwarded(RuntimeError):
    """A mistake in the server: a token that was issued for it was about to travel on."""


class Downstream:
    """Refuses to let tokens for *guard*'s resource leave.

    downstream = Downstream(guard)
    client = httpx2.AsyncClient(event_hooks={"request": [downstream.check_async]})
    """

    def __init__(self, guard: "Guard") -> None:
        self._resource = guard.resource
        self._introspection = guard.introspection

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """*headers*, to be sent to another server. Raises `TokenForwarded` when they carry a token for this one."""
        if any(self.carries(value) for value in headers.values()):
            raise TokenForwarded("a token for this server must not be sent to another")
        return dict(headers)

    def check(self, request: httpx2.Request) -> None:
        """A hook for ``httpx2.Client(event_hooks={"request": […]})``, also after redirects.

        Raises `TokenForwarded` when URL or headers carry a token for this server.
        """
        self.headers({**request.headers, "": str(request.url)})

    async def check_async(self, request: httpx2.Request) -> None:
        """As `check`, for `httpx2.AsyncClient`."""
        self.check(request)

    def carries(self, text: str) -> bool:
        """Whether *text* holds a token for this server: as it is, percent-encoded, or in Basic credentials."""
        scheme, _, credentials = text.partition(" ")
        if scheme.lower() == "basic":
            text = _decoded(credentials.strip()).decode("latin-1")
        return any(self._is_for_us(segment) for segment in BETWEEN.split(unquote(text)) if len(segment) >= SHORTEST)

    def _is_for_us(self, segment: str) -> bool:
        _, begun, rest = segment.partition(OPAQUE)
        if begun and self._introspection.accepted(begun + rest):
            return True
        try:
            claims = json.loads(_decoded(segment))
        except (ValueError, RecursionError):
            return False
        audience = claims.get("aud") if isinstance(claims, dict) else None
        return self._resource in (audience if isinstance(audience, list) else [audience])


def _decoded(segment: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except ValueError:
        return b""
