"""A deployment on loopback with something in front of it that can break one thing."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from werkzeug.serving import make_server

from authserver.web.front import WSGIApplication

Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class Reply:
    """What the server answered, or what becomes of it on its way."""

    status: int
    headers: Headers
    body: Iterable[bytes]

    def header(self, name: str, value: str | None) -> "Reply":
        """The same with another value of a header, or without it."""
        kept = [(other, text) for other, text in self.headers if other.lower() != name.lower()]
        return replace(self, headers=[*kept, (name, value)] if value is not None else kept)

    def swap(self, old: str, new: str) -> "Reply":
        """The same with *new* for *old* in its body."""
        body = b"".join(self.body).replace(old.encode(), new.encode())
        return replace(self.header("Content-Length", str(len(body))), body=[body])

    def become(self, status: int, body: str = "", kind: str = "text/html") -> "Reply":
        """Another answer altogether."""
        return Reply(status, [("Content-Type", kind), ("Content-Length", str(len(body.encode())))], [body.encode()])


Fault = Callable[[dict[str, Any], Reply], Reply]


class Front:
    """Passes on what *behind* answers, with ``fault`` done to it if there is one."""

    def __init__(self, behind: WSGIApplication) -> None:
        self.behind = behind
        self.fault: Fault | None = None
        self.asked: list[str] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        told: list[Any] = []
        full = str(environ["PATH_INFO"])
        method = environ["REQUEST_METHOD"]
        self.asked.append(f"{method} {full}")
        seen = dict(environ)
        body = b"".join(self.behind(environ, lambda *given: told.append(given)))
        reply = Reply(int(told[0][0].split()[0]), list(told[0][1]), [body])
        if self.fault:
            reply = self.fault(seen, reply)
        start_response(f"{reply.status} {HTTPStatus(reply.status).phrase}", reply.headers)
        return reply.body


@contextmanager
def serving(
    app: WSGIApplication, port: int, certificate: tuple[str, str] | None = None, host: str = "127.0.0.1"
) -> Iterator[None]:
    """*app* on *port* of *host* until the block ends, by https if there is a *certificate* (file, key)."""
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    server = make_server(host.strip("[]"), port, app, threaded=True, ssl_context=certificate)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
