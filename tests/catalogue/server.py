"""An MCP server on loopback that answers as a test tells it, honest or not."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Reply:
    """What is answered; ``parts`` are written one after the other, and ``stays`` keeps the connection open then."""

    status: int = 200
    media_type: str = "application/json"
    parts: tuple[bytes, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    stays: bool = False


Answer = Callable[[dict[str, Any], dict[str, str]], Reply]
"""What is answered to a message (empty for one without a body) with those headers (names in lower case)."""


def result(message: dict[str, Any], content: dict[str, Any]) -> Reply:
    """The JSON answer to *message*."""
    return Reply(parts=(json.dumps({"jsonrpc": "2.0", "id": message.get("id"), "result": content}).encode(),))


def streamed(message: dict[str, Any], content: dict[str, Any], end: str = "\n", *, stays: bool = False) -> Reply:
    """The same as a stream of events, after a notification, cut into small parts."""
    told = {"jsonrpc": "2.0", "method": "notifications/message", "params": {}}
    answer = {"jsonrpc": "2.0", "id": message.get("id"), "result": content}
    lines = [
        ": hello",
        "data:",
        "",
        "event: message",
        f"data: {json.dumps(told)}",
        "",
        f"data: {json.dumps(answer)}",
        "",
    ]
    text = "".join(line + end for line in lines).encode()
    return Reply(
        media_type="text/event-stream", parts=tuple(text[n : n + 7] for n in range(0, len(text), 7)), stays=stays
    )


@contextmanager
def mcp_server(answer: Answer) -> Iterator[tuple[str, list[tuple[str, dict[str, Any], dict[str, str]]]]]:
    """Serve *answer*; gives the URL, and all that was asked: HTTP method, message, headers."""
    asked: list[tuple[str, dict[str, Any], dict[str, str]]] = []
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            message = json.loads(body) if body else {}
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked.append((self.command, message, headers))
            reply = answer(message, headers)
            self.send_response(reply.status)
            for name, value in {"Content-Type": reply.media_type, **reply.headers, "Connection": "close"}.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                for part in reply.parts:
                    self.wfile.write(part)
                self.wfile.flush()
                if reply.stays:
                    over.wait(30)
            except OSError:
                pass
            self.close_connection = True

        do_DELETE = do_POST  # noqa: N815 - the base class's name

        def log_message(self, *said: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/mcp", asked
    finally:
        over.set()
        server.shutdown()
        thread.join()
        server.server_close()
