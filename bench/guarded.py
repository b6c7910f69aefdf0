"""Guarded servers in a process of their own, which note when each refuses a token for the first time.

``python -m bench.guarded FILE``: the file has what `Task` says, as JSON. Once every server has taken every token, a
line says `READY`; then a line for each refusal has the token's number and the moment, in seconds of the system's
monotonic clock.
"""

import asyncio
import json
import sys
import time
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mcp_token_guard import Guard

READY = "ready"
PAUSE = 0.02  # seconds between the calls with one token at one server: what is measured is this much too long at most


@dataclass(frozen=True, slots=True)
class Task:
    """So many ``servers`` of ``resource``, guarded for ``issuer``, and the ``tokens`` that they are called with."""

    issuer: str
    resource: str
    servers: int
    tokens: Sequence[str]


class _Server:
    """An MCP server behind a guard, as far as a call needs one."""

    def __init__(self, task: Task) -> None:
        guard = Guard(task.resource, issuer=task.issuer, scopes=("notes:read",))
        self._app = guard.asgi(self._behind)
        self._path = urlsplit(task.resource).path
        self._left = dict(enumerate(task.tokens))

    async def begin(self) -> None:
        """Have every token taken once."""
        for token in self._left.values():
            if (status := await self._call(token)) != 200:
                raise RuntimeError(f"a good token was answered by {status}")

    async def watch(self) -> None:
        """Call with every token until it is refused."""
        while self._left:
            for number, token in list(self._left.items()):
                if await self._call(token) == 401:
                    print(json.dumps([number, time.monotonic()]), flush=True)
                    del self._left[number]
            await asyncio.sleep(PAUSE)

    async def _call(self, token: str) -> int:
        statuses: list[int] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(event: MutableMapping[str, Any]) -> None:
            if event["type"] == "http.response.start":
                statuses.append(event["status"])

        headers = [(b"authorization", f"Bearer {token}".encode()), (b"accept", b"application/json, text/event-stream")]
        scope = {"type": "http", "method": "GET", "path": self._path, "query_string": b"", "headers": headers}
        await self._app(scope, receive, send)
        return statuses[0]

    async def _behind(self, _scope: object, _receive: object, send: Any) -> None:  # noqa: ANN401 - ASGI
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def _run(task: Task) -> None:
    servers = [_Server(task) for _ in range(task.servers)]
    await asyncio.gather(*(server.begin() for server in servers))
    print(READY, flush=True)
    await asyncio.gather(*(server.watch() for server in servers))


if __name__ == "__main__":
    asyncio.run(_run(Task(**json.loads(Path(sys.argv[1]).read_text()))))
