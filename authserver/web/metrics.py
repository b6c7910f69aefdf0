"""Metrics for who may read them: at an address of their own, or by a token beside the other endpoints."""

import hashlib
import hmac
import socket
import socketserver
import threading
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from ..observability.metrics import CONTENT_TYPE
from ..protocol.errors import InvalidToken
from .backchannel.application import Handler
from .backchannel.request import Request
from .backchannel.response import NO_STORE, Response

PATH = "/metrics"
SECONDS = 10  # in which whoever scrapes has to ask, and to take the answer
Text = Callable[[], bytes]


def by_token(token: str, text: Text) -> Handler:
    """Answers with *text* who has *token*. Raises `InvalidToken` for anybody else (RFC 6750 §3)."""
    wanted = hashlib.sha256(token.encode()).digest()

    def answer(request: Request) -> Response:
        shown = hashlib.sha256((request.bearer() or "").encode("utf-8", "surrogateescape")).digest()
        if not hmac.compare_digest(shown, wanted):
            raise InvalidToken("metrics are for who has their token")
        return Response(200, [("Content-Type", CONTENT_TYPE), *NO_STORE], text())

    return answer


class Listener(socketserver.ThreadingMixIn, WSGIServer):
    """Gives metrics at an address of their own, by threads that no flood of other requests holds.

    All workers of a node listen at the same one, and whichever is asked answers for all.
    """

    daemon_threads = True
    allow_reuse_address = True
    allow_reuse_port = True

    def __init__(self, address: tuple[str, int], text: Text) -> None:
        """Listens at once. Raises `OSError` for an *address* that cannot be had."""
        self._text = text
        self.address_family = _family(address[0])
        super().__init__(address, _Handler)
        self.set_app(self._answer)

    def start(self) -> None:
        """Answer in a daemon thread until `shutdown`."""
        threading.Thread(target=self.serve_forever, name="metrics", daemon=True).start()

    def server_bind(self) -> None:
        """Bind without asking a name server what this machine is called."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
        self.setup_environ()

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != PATH or environ.get("REQUEST_METHOD") not in {"GET", "HEAD"}:
            start_response("404 Not Found", [("Content-Type", "text/plain"), ("Content-Length", "0")])
            return [b""]
        body = self._text()
        start_response("200 OK", [("Content-Type", CONTENT_TYPE), ("Content-Length", str(len(body)))])
        return [body if environ["REQUEST_METHOD"] == "GET" else b""]


class _Handler(WSGIRequestHandler):
    timeout = SECONDS

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it that
        """A scrape each few seconds is nothing for a log."""


def _family(host: str) -> int:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
