"""The guard in front of an ASGI application: what comes through has a good token and the scopes for what it asks.

Pure ASGI, and nothing of a response is held back or changed but its CORS headers, so streams stay streams. Of a
request only JSON bodies are read, up to a bound, and handed on byte for byte.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from . import cors, messages, mirrored
from .bearer import bearer_token
from .caller import CALLER, Caller
from .paths import same_place
from .refusals import (
    BodyTooLarge,
    GuardError,
    MediaTypeRefused,
    MethodNotAllowed,
    RequestMalformed,
    ScopeInsufficient,
)
from .replies import JSON, Headers, Reply

if TYPE_CHECKING:
    from .guard import Guard

Event = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SCOPE_KEY = "mcp_token_guard.caller"
READING = ("GET", "HEAD")
AT_ENDPOINT = ("GET", "HEAD", "POST", "DELETE")
FORM = b"application/x-www-form-urlencoded"


class ClientGone(Exception):
    """The client left before its request was complete."""


class GuardedApp:
    """An ASGI application behind a `Guard`.

    The application finds the `Caller` in ``scope["mcp_token_guard.caller"]``, and in `current_caller`.
    """

    def __init__(self, app: App, guard: "Guard") -> None:
        self._app = app
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, self._settled(send))
        elif scope["type"] == "http" and scope["path"] in self._guard.open_paths:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            # No revision of MCP speaks WebSocket, and the guard could not see the calls inside one.
            await receive()
            await send({"type": "websocket.close", "code": 1008})

    def _settled(self, send: Send) -> Send:
        """*send*, by which the application's end is told when the guard's own has come too."""

        async def settled(event: Event) -> None:
            if event["type"].startswith("lifespan.shutdown"):
                await self._guard.settle()
            await send(event)

        return settled

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            reply = await self._own_reply(scope)
            if reply is None:
                caller, body = await self._admit(scope, receive)
        except GuardError as refusal:
            reply = self._guard.challenges.reply(refusal)
        except ClientGone:
            return
        if reply is not None:
            await _send_reply(reply, scope, send)
            return
        token = CALLER.set(caller)
        try:
            await self._app({**scope, SCOPE_KEY: caller}, _replayed(body, receive), _opened(send))
        finally:
            CALLER.reset(token)

    async def _own_reply(self, scope: Scope) -> Reply | None:
        """The answer to what needs no token and is the guard's own, else None."""
        if scope["method"] == "OPTIONS":
            return cors.preflight(scope["headers"])
        if not self._guard.well_known.owns(scope["path"]):
            return None
        if scope["method"] not in READING:
            raise MethodNotAllowed(*READING)
        return await self._guard.well_known.reply(scope["path"], scope["headers"])

    async def _admit(self, scope: Scope, receive: Receive) -> tuple[Caller, bytes | None]:
        """The caller, and the body as far as it was read. Raises `GuardError` for whom it keeps out."""
        headers: Headers = scope["headers"]
        caller = await self._guard.verifier.verify(bearer_token(headers, scope.get("query_string", b"")))
        at_endpoint = same_place(scope["path"], self._guard.endpoint)
        body: bytes | None = None
        asked: tuple[messages.Message, ...] = ()
        if _must_be_read(scope, at_endpoint):
            body = await _read(headers, receive, self._guard.max_body)
            asked = messages.parse(body) if at_endpoint else messages.find(body)
            mirrored.check(headers, asked)
        needed = self._guard.rules.needed(asked)
        if not caller.may(*needed):
            raise ScopeInsufficient(
                "the token lacks a scope that this needs", needed, request_id=messages.only_id(asked)
            )
        return caller, body


def _must_be_read(scope: Scope, at_endpoint: bool) -> bool:
    """Whether the body may hold calls. At the endpoint nothing but JSON gets in; elsewhere other bodies just pass."""
    types = [value.lower() for name, value in scope["headers"] if name == b"content-type"]
    if not at_endpoint:
        return scope["method"] not in READING and any(b"json" in value for value in types)
    if scope["method"] not in AT_ENDPOINT:
        raise MethodNotAllowed("GET", "POST", "DELETE")
    if scope["method"] != "POST":
        return False
    media = [value.partition(b";")[0].strip() for value in types]
    if FORM in media:
        # RFC 6750 §2.2: a form could carry a second token.
        raise RequestMalformed("an access token goes in the Authorization header; the body is JSON")
    if media != [JSON]:
        raise MediaTypeRefused("the body of a message is application/json")
    return True


async def _read(headers: Headers, receive: Receive, most: int) -> bytes:
    declared = next((value for name, value in headers if name == b"content-length"), b"0")
    if declared.isdigit() and int(declared[:20]) > most:
        raise BodyTooLarge(f"a body has at most {most} bytes")
    body = bytearray()
    more = True
    while more:
        event = await receive()
        if event["type"] != "http.request":
            raise ClientGone
        body += event.get("body", b"")
        more = event.get("more_body", False)
        if len(body) > most:
            raise BodyTooLarge(f"a body has at most {most} bytes")
    return bytes(body)


def _replayed(body: bytes | None, receive: Receive) -> Receive:
    """*receive*, giving *body* first, once more."""
    if body is None:
        return receive
    waiting: list[Event] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Event:
        return waiting.pop() if waiting else await receive()

    return replay


def _opened(send: Send) -> Send:
    """*send*, with the headers of CORS on the response."""

    async def opened(event: Event) -> None:
        if event["type"] == "http.response.start":
            event = {**event, "headers": cors.opened(list(event.get("headers", ())))}
        await send(event)

    return opened


async def _send_reply(reply: Reply, scope: Scope, send: Send) -> None:
    headers = cors.opened(reply.headers)
    if reply.status not in (204, 304):
        headers = [*headers, (b"content-length", b"%d" % len(reply.body))]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else reply.body})
