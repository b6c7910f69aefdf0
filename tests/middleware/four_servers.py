"""One small MCP server four times: on the `mcp` SDK, on FastMCP, as a plain ASGI application, and on Flask."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from socket import socket
from typing import Any

from fastmcp import FastMCP
from flask import Flask, jsonify, request
from mcp.server.mcpserver import MCPServer
from werkzeug.serving import make_server

from mcp_token_guard import Guard, current_caller
from mcp_token_guard.adapters.fastmcp import GuardAuth
from mcp_token_guard.adapters.flask import protect
from mcp_token_guard.adapters.mcp_sdk import CallerAsUser
from tests.middleware.served import listener, serving_app

Ran = list[tuple[str, str]]
"""Which tool ran, and for whom."""

Serve = Callable[[Guard, Ran, socket], AbstractContextManager[None]]


def serving_sdk(guard: Guard, ran: Ran, listening: socket) -> AbstractContextManager[None]:
    server = MCPServer("four")
    server.tool()(_tool("look", ran))
    server.tool()(_tool("wipe", ran))
    server.tool()(_tool("once", ran))
    return serving_app(guard.asgi(CallerAsUser(server.streamable_http_app())), listening)


def serving_fastmcp(guard: Guard, ran: Ran, listening: socket) -> AbstractContextManager[None]:
    server: Any = FastMCP("four", auth=GuardAuth(guard))
    server.tool()(_tool("look", ran))
    server.tool()(_tool("wipe", ran))
    server.tool()(_tool("once", ran))
    return serving_app(server.http_app(), listening)


def serving_plain(guard: Guard, ran: Ran, listening: socket) -> AbstractContextManager[None]:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        event = await receive()
        content = json.dumps(_answer(json.loads(event["body"]), ran)).encode() if event["body"] else b""
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    return serving_app(guard.asgi(app), listening)


@contextmanager
def serving_flask(guard: Guard, ran: Ran, listening: socket) -> Iterator[None]:
    app = Flask("four")
    protect(app, guard)
    app.add_url_rule("/mcp", view_func=lambda: jsonify(_answer(request.get_json(), ran)), methods=["POST"])
    server = make_server("127.0.0.1", listening.getsockname()[1], app, threaded=True, fd=listening.fileno())
    server.daemon_threads = True  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        listening.close()


SERVERS: dict[str, Serve] = {
    "mcp SDK": serving_sdk,
    "FastMCP": serving_fastmcp,
    "ASGI": serving_plain,
    "Flask": serving_flask,
}


@contextmanager
def serving(name: str, issuer_url: str, **settings: Any) -> Iterator[tuple[str, Ran]]:
    """The server called *name* behind a guard: its URL, and what ran."""
    listening, ran = listener(), Ran()
    resource = f"http://localhost:{listening.getsockname()[1]}/mcp"
    rules: dict[str, Any] = {"tools": {"look": (), "wipe": "wipe", "once": "wipe"}, "implies": {"all": "read wipe"}}
    guard = Guard(resource, issuer=issuer_url, scopes="read", **rules, **settings)
    with SERVERS[name](guard, ran, listening):
        yield resource, ran


def _tool(name: str, ran: Ran) -> Callable[[], str]:
    def tool() -> str:
        ran.append((name, current_caller().subject))
        return name

    tool.__name__ = name
    return tool


def _answer(message: Any, ran: Ran) -> Any:
    """What a server makes of a call, or of a batch of calls."""
    if isinstance(message, list):
        return [_answer(each, ran) for each in message]
    return {
        "jsonrpc": "2.0",
        "id": message["id"],
        "result": {"content": [{"type": "text", "text": _tool(message["params"]["name"], ran)()}]},
    }
