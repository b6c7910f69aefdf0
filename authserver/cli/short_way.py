"""The short way of a plain request (`plain`): past gunicorn's parser and writer, to the application and back."""

from typing import Any

import structlog
from flask import Flask

from ..web import plain
from ..web.front import Front

FAILED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

log = structlog.get_logger(__name__)


class ShortWay:
    """Answers on connections of one worker, in whichever thread has one."""

    def __init__(self, application: Flask) -> None:
        """*application* is what gunicorn serves."""
        self._application: Any = application
        self._front: Front = application.extensions["authserver.front"]

    def answer(self, conn: Any, received: bytes, *, keep: bool) -> bool | None:  # noqa: ANN401 - gunicorn has no types
        """Answer the one plain request in *received*; whether the connection is kept then. None for all else.

        That is a call of the back channel, or an authorization request: programs send both again and again.

        Raises `OSError` when the connection is gone.
        """
        by_tcp = isinstance(conn.client, tuple)  # who comes by a Unix socket has no address
        environ = plain.environ(received, conn.client[0]) if by_tcp else None
        if environ is None or not self._front.answers_in_one_piece(environ["PATH_INFO"]):
            return None
        try:
            answer = self._answer(environ, keep=keep)
        except Exception:  # left to gunicorn, it would be no answer at all, and a proxy would think the server dead
            log.exception("request failed", path=environ["PATH_INFO"])
            answer, keep = FAILED, False
        if conn.sock.gettimeout() is not None:
            conn.sock.setblocking(True)
        conn.sock.sendall(answer)
        conn.unseen += len(answer)
        return keep

    def _answer(self, environ: dict[str, Any], *, keep: bool) -> bytes:
        said: list[tuple[str, plain.Headers]] = []
        found = self._application(environ, lambda status, headers, _failed=None: said.append((status, headers)))
        try:
            body = b"".join(found)
        finally:
            if close := getattr(found, "close", None):
                close()
        return plain.answer(*said[-1], body, keep=keep)
