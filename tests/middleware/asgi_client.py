"""An application behind a guard, asked in-process: what the server would see is handed over byte for byte."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from mcp_token_guard import Guard, current_caller


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> dict[str, Any]:
        """The JSON-RPC error of the body."""
        return json.loads(self.body)["error"]


@dataclass
class App:
    """An application that remembers what reached it."""

    calls: list[dict[str, Any]] = field(default_factory=list)
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        event = await receive()
        try:
            caller = current_caller()
        except LookupError:
            caller = None
        self.calls.append({"path": scope["path"], "body": event.get("body"), "scope": scope, "caller": caller})
        await send({"type": "http.response.start", "status": 200, "headers": self.headers})
        await send({"type": "http.response.body", "body": b"reached"})


@dataclass
class Client:
    """Sends requests to *app* behind *guard*."""

    guard: Guard
    app: App = field(default_factory=App)

    async def send(
        self,
        method: str = "POST",
        path: str = "/mcp",
        *,
        token: str | None = None,
        headers: Iterable[tuple[str, str]] = (),
        query: bytes = b"",
        body: object = None,
        chunks: Iterable[bytes] | None = None,
    ) -> Answer:
        """One request; *body* is sent as JSON unless it is bytes, *chunks* as they are."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        lines = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
        if token is not None:
            lines.append((b"authorization", b"Bearer " + token.encode()))
        if method == "POST" and not any(name == b"content-type" for name, _ in lines):
            lines.append((b"content-type", b"application/json"))
        parts = [content] if chunks is None else list(chunks)
        events = [
            {"type": "http.request", "body": part, "more_body": number < len(parts)}
            for number, part in enumerate(parts, start=1)
        ]
        events.append({"type": "http.disconnect"})
        return await self._exchange(method, path, lines, query, events)

    async def call(self, tool: str, **kwargs: Any) -> Answer:
        """A ``tools/call``."""
        return await self.send(body=tool_call(tool), **kwargs)

    async def _exchange(self, method: str, path: str, lines: Any, query: bytes, events: list[Any]) -> Answer:
        sent: list[Any] = []

        async def receive() -> Any:
            return events.pop(0)

        async def send(event: Any) -> None:
            sent.append(event)

        scope = {"type": "http", "method": method, "path": path, "headers": lines, "query_string": query}
        await self.guard.asgi(self.app)(scope, receive, send)
        if not sent:
            return Answer(0, {}, b"")
        names = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], names, b"".join(event.get("body", b"") for event in sent[1:]))


def tool_call(tool: object, identifier: object = 1, **arguments: object) -> dict[str, Any]:
    """The JSON-RPC request that calls *tool*."""
    return {
        "jsonrpc": "2.0",
        "id": identifier,
        "method": "tools/call",
        "params": {"name": tool, "arguments": arguments},
    }
