"""The guard in front of an ASGI application: what comes through has a good token and the scopes for what it asks.

Pure ASGI, and nothing of a response is held back or changed but its CORS headers, so streams stay streams. Of a
request only JSON bodies are read, up to a bound, and handed on byte for byte.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from . import cors
from .admission import Admitted, ReadBody, Request, admit, too_large
from .caller import CALLER
from .listing import ListFilter
from .receipts import Receipt
from .refusals import GuardError
from .replies import Reply

if TYPE_CHECKING:
    from .guard import Guard

Event = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SCOPE_KEY = "mcp_token_guard.caller"


class ClientGone(Exception):
    """The client left before its request was complete."""


class GuardedApp:
    """An ASGI application behind a `Guard`.

    The application finds the `Caller` in ``scope["mcp_token_guard.caller"]``, and in `current_caller`. A `GuardError`
    that it raises before it answers, as `requires` does, is answered like the guard's own.
    """

    def __init__(self, app: App, guard: "Guard") -> None:
        self._app = app
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            self._guard.begin()
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
        request = Request(scope["method"], scope["path"], scope["headers"], scope.get("query_string", b""))
        try:
            outcome = await admit(self._guard, request, _reader(receive))
        except ClientGone:
            return
        if isinstance(outcome, Reply):
            await _send_reply(outcome, scope, send)
            return
        await self._serve(outcome, scope, receive, send)

    async def _serve(self, admitted: Admitted, scope: Scope, receive: Receive, send: Send) -> None:
        caller, receipt = admitted.caller, admitted.receipt
        answer = _Answer(send, admitted)
        inner = {**scope, SCOPE_KEY: caller}
        if admitted.listing is not None:
            inner["headers"] = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        token = CALLER.set(caller)
        try:
            await self._app(inner, _replayed(admitted.body, receive), answer.send)
        except GuardError as refusal:
            if answer.begun:
                raise
            await answer.reply(self._guard.challenges.reply(refusal), scope)
        finally:
            CALLER.reset(token)
            if receipt is not None:
                receipt.ended(whole=answer.ended)


def _reader(receive: Receive) -> ReadBody:
    async def read(most: int) -> bytes:
        body = bytearray()
        more = True
        while more:
            event = await receive()
            if event["type"] != "http.request":
                raise ClientGone
            body += event.get("body", b"")
            more = event.get("more_body", False)
            if len(body) > most:
                raise too_large(most)
        return bytes(body)

    return read


def _replayed(body: bytes | None, receive: Receive) -> Receive:
    """*receive*, giving *body* first, once more."""
    if body is None:
        return receive
    waiting: list[Event] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Event:
        return waiting.pop() if waiting else await receive()

    return replay


class _Answer:
    """What the application sends, with the headers of CORS; ``begun`` once some of it has left, ``ended`` with all."""

    def __init__(self, send: Send, admitted: Admitted) -> None:
        self._send = send
        self._receipt = admitted.receipt
        self._listing = admitted.listing
        self.begun = self.ended = False

    async def send(self, event: Event) -> None:
        if self._receipt is not None:
            _watch(self._receipt, event)
        if event["type"] == "http.response.start":
            self.begun = True
            headers = list(event.get("headers", ()))
            event = {
                **event,
                "headers": cors.opened(headers if self._listing is None else self._listing.start(headers)),
            }
        elif event["type"] == "http.response.body" and self._listing is not None:
            event = _filtered(self._listing, event)
        await self._send(event)
        if event["type"] == "http.response.body":
            self.ended = not event.get("more_body", False)

    async def reply(self, reply: Reply, scope: Scope) -> None:
        await _send_reply(reply, scope, self.send)


def _filtered(listing: ListFilter, event: Event) -> Event:
    data = listing.feed(event.get("body", b""))
    return {**event, "body": data if event.get("more_body", False) else data + listing.finish()}


def _watch(receipt: Receipt, event: Event) -> None:
    if event["type"] == "http.response.start":
        receipt.start(event["status"], [(name.lower(), value) for name, value in event.get("headers", ())])
    elif event["type"] == "http.response.body":
        receipt.piece(event.get("body", b""), last=not event.get("more_body", False))


async def _send_reply(reply: Reply, scope: Scope, send: Send) -> None:
    headers = cors.opened(reply.with_length())
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else reply.body})
