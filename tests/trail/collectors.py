"""What takes the trail at the other end: a webhook over TLS, and syslog collectors."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass
class Hook:
    """A webhook: what it was posted, and the ``status`` that it answers with; 413 to more bytes than ``most``."""

    port: int = 0
    status: int = 204
    most: int = 1_000_000
    posts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}/audit"

    @property
    def events(self) -> list[dict[str, Any]]:
        """All that it took."""
        return [event for _, body in self.posts for event in json.loads(body)["events"]]

    @property
    def names(self) -> list[str]:
        """The names of the events that it took."""
        return [event["name"] for event in self.events]


@contextmanager
def hook(context: ssl.SSLContext, port: int = 0) -> Iterator[Hook]:
    """A running webhook on loopback."""
    found = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = found.status if len(body) <= found.most else 413
            if status < 300:
                found.posts.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(status)
            self.send_header("Location", "https://127.0.0.1:1/")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    found.port = server.server_address[1]
    with _served(server.serve_forever, server.shutdown, server.server_close):
        yield found


@dataclass
class Syslog:
    """A collector over a stream: the ``messages`` that it read. One that is ``deaf`` hangs up without reading."""

    listening: socket.socket
    deaf: bool = False
    messages: list[bytes] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.listening.getsockname()[1])

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listening.accept()
                with connection, suppress(OSError):
                    if not self.deaf:
                        self._read(connection.makefile("rb"))

    def _read(self, stream: Any) -> None:
        while length := b"".join(iter(lambda: stream.read(1).strip(), b"")):
            self.messages.append(stream.read(int(length)))

    def close(self) -> None:
        with suppress(OSError):
            self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()


@contextmanager
def syslog(path: Path | None = None) -> Iterator[Syslog]:
    """A running collector, on loopback or at the Unix socket *path*."""
    if path:
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listening.bind(str(path))
        listening.listen()
    else:
        listening = socket.create_server(("127.0.0.1", 0))
    found = Syslog(listening)
    with _served(found.serve, found.close, lambda: None):
        yield found


@contextmanager
def _served(serve: Any, stop: Any, close: Any) -> Iterator[None]:
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop()
        close()
        thread.join()
