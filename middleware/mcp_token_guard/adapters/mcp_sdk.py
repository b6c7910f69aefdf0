"""For servers on the official ``mcp`` SDK: the guard as the SDK's token verifier, and its caller as the SDK's user."""

from collections.abc import Callable, MutableMapping
from typing import Any, ParamSpec, TypeVar

from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver.exceptions import ToolError

from ..asgi import SCOPE_KEY, App, Receive, Send
from ..caller import Caller
from ..guard import Guard
from ..refusals import GuardError
from ..requirements import before, check, named
from ..scopes import ScopeNames

P = ParamSpec("P")
R = TypeVar("R")


class GuardTokenVerifier:
    """The SDK's `TokenVerifier`, judging by a guard, for servers that keep the SDK's own authorization.

    Tool scopes, challenges with scopes, and CORS are not part of that: they need ``guard.asgi``. Nor are limits on
    tools, so a token that carries some is refused here: nothing would hold its calls against them. Raises `ValueError`
    for a guard with tools that need a permission for each call.
    """

    def __init__(self, guard: Guard) -> None:
        if guard.one_time:
            raise ValueError("permissions for single calls are enforced by guard.asgi alone")
        self._guard = guard

    async def verify_token(self, token: str) -> AccessToken | None:
        """What *token* says, or None when it is refused or cannot be judged now."""
        try:
            caller = await self._guard.verify(token)
        except GuardError:
            return None
        return None if caller.limits.closed else access_token(caller, token)


def auth_settings(guard: Guard) -> AuthSettings:
    """The SDK's settings that go with `GuardTokenVerifier`."""
    return AuthSettings.model_validate(
        {
            "issuer_url": guard.issuer,
            "resource_server_url": guard.resource,
            "required_scopes": list(guard.base),
            "validate_token_resource": True,
        }
    )


def access_token(caller: Caller, token: str = "") -> AccessToken:
    """*caller* in the SDK's words; without *token*, so that no tool can pass it on."""
    return AccessToken(
        token=token,
        client_id=caller.client_id,
        scopes=sorted(caller.scopes),
        expires_at=caller.expires_at,
        resource=caller.resource,
        subject=caller.subject,
        claims=dict(caller.claims),
    )


def requires(*scopes: ScopeNames) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """`mcp_token_guard.requires` for tools of the SDK, which shows a client the words of a `ToolError` alone."""
    needed = named(scopes)

    def condition() -> None:
        try:
            check(needed)
        except GuardError as refusal:
            raise ToolError(refusal.message) from None

    return before(condition)


class CallerAsUser:
    """Between the guard and the SDK's application: ``guard.asgi(CallerAsUser(mcp.streamable_http_app()))``.

    The SDK then ties each session of revisions before 2026-07-28 to whoever began it, and `get_access_token` works.
    """

    def __init__(self, app: App) -> None:
        self._app = AuthContextMiddleware(app)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve one connection."""
        caller: Caller | None = scope.get(SCOPE_KEY)
        if caller is not None:
            scope["user"] = AuthenticatedUser(access_token(caller))
        await self._app(scope, receive, send)
