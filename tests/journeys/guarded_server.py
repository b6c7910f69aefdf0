"""A small MCP server behind a guard that sends receipts, as a program: ``python -m tests.journeys.guarded_server``.

Told by its environment: GUARDED_RESOURCE, GUARDED_ISSUER, GUARDED_KEY, GUARDED_SPOOL, GUARDED_PORT.
"""

import json
import os
from typing import Any

import uvicorn

from mcp_token_guard import Guard, Receipts


async def answer(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while (event := await receive())["type"] != "lifespan.shutdown":
            await send({"type": f"{event['type']}.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    message = json.loads((await receive())["body"])
    content = json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": {"content": []}}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": content})


def main() -> None:
    given = os.environ
    guard = Guard(
        given["GUARDED_RESOURCE"],
        issuer=given["GUARDED_ISSUER"],
        scopes="notes:read",
        identity=given["GUARDED_KEY"],
        receipts=Receipts({"*": ["number"]}, spool=given["GUARDED_SPOOL"]),
        keys_bound=900,
    )
    uvicorn.run(guard.asgi(answer), port=int(given["GUARDED_PORT"]), log_level="warning")


if __name__ == "__main__":
    main()
