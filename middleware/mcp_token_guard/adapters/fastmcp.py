"""For FastMCP: ``FastMCP("notes", auth=GuardAuth(guard))`` puts the server behind the guard, tool scopes and all."""

from collections.abc import MutableMapping
from typing import Any

from fastmcp.server.auth import AccessToken, AuthProvider
from starlette.middleware import Middleware

from ..asgi import App, Receive, Send
from ..guard import Guard
from ..refusals import GuardError
from .mcp_sdk import CallerAsUser, access_token


class GuardAuth(AuthProvider):
    """FastMCP's `AuthProvider`, by a guard: what it lets in has passed `Guard.asgi`; FastMCP sees its caller as user.

    The path of the guard's resource has to be the one that FastMCP serves (``/mcp``, unless told otherwise). FastMCP's
    own routes are behind the guard too. For ``get_access_token()``, without the token's text.
    """

    def __init__(self, guard: Guard) -> None:
        # No scopes: FastMCP would ask for them once more, without what they imply.
        super().__init__(base_url=guard.resource.removesuffix(guard.endpoint) or guard.resource)
        self._guard = guard

    async def verify_token(self, token: str) -> AccessToken | None:
        """What *token* says, or None when it is refused or cannot be judged now."""
        try:
            caller = await self._guard.verify(token)
        except GuardError:
            return None
        return AccessToken.model_validate(access_token(caller).model_dump() | {"token": token})

    def get_middleware(self) -> list[Any]:
        """The guard, around FastMCP's application."""
        return [Middleware(_Guarded, guard=self._guard)]


class _Guarded:
    """The guard as Starlette wants a middleware."""

    def __init__(self, app: App, guard: Guard) -> None:
        self._app = guard.asgi(CallerAsUser(app))

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve one connection."""
        await self._app(scope, receive, send)
