"""The short way of a plain call: past gunicorn's parser and writer, to the back channel and back (`plain`)."""

import select
import socket
import struct
from contextlib import suppress
from typing import Any

from flask import Flask

from ..web.backchannel import plain
from ..web.front import Front

RECEIVED_AT_ONCE = 65_536  # bytes
SEND_BUFFER = 524_288  # bytes: an answer goes there at once, so a client that reads slowly holds no thread
MOST_UNSEEN = 65_536  # bytes of answers before a look whether the client reads them: far less than the buffer
PATIENCE = 3  # milliseconds that a thread stays with a connection while no other waits for one
MOST_STAYED = 100  # answers, after which the others have their turn, whether they were noticed or not


class ShortWay:
    """Answers on connections of one worker, in whichever thread has one."""

    def __init__(self, application: Flask) -> None:
        """*application* is what gunicorn serves."""
        self._application: Any = application
        self._front: Front = application.extensions["authserver.front"]

    def answer(self, conn: Any, received: bytes, *, keep: bool) -> bool | None:  # noqa: ANN401 - gunicorn has no types
        """Answer the one plain call in *received*; whether the connection is kept then. None for all else.

        Raises `OSError` when the connection is gone.
        """
        by_tcp = isinstance(conn.client, tuple)  # who comes by a Unix socket has no address
        environ = plain.environ(received, conn.client[0]) if by_tcp else None
        if environ is None or not self._front.is_back_channel(environ["PATH_INFO"]):
            return None
        said: list[tuple[str, plain.Headers]] = []
        body = b"".join(self._application(environ, lambda status, headers: said.append((status, headers))))
        if conn.sock.gettimeout() is not None:
            conn.sock.setblocking(True)
        answer = plain.answer(*said[0], body, keep=keep)
        conn.sock.sendall(answer)
        conn.unseen += len(answer)
        return keep


def bound(client: socket.socket, seconds: int) -> None:
    """Have answers to *client* go at once, and a thread wait for it no longer than *seconds*."""
    with suppress(OSError):  # it is gone already
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", seconds, 0))


def what_came(client: socket.socket) -> bytes | None:
    """What has come of *client*, which does not block; empty at the end of it, None if nothing has yet."""
    try:
        return client.recv(RECEIVED_AT_ONCE)
    except BlockingIOError:
        return None
    except OSError:
        return b""


def takes_more(client: socket.socket) -> bool:
    """Whether an answer can be sent to *client* without waiting for it to read earlier ones."""
    return _is(client, select.POLLOUT, 0)


def sends_more(client: socket.socket) -> bool:
    """Whether something comes within a moment."""
    return _is(client, select.POLLIN, PATIENCE)


def _is(client: socket.socket, state: int, milliseconds: int) -> bool:
    asked = select.poll()
    asked.register(client, state)
    return bool(asked.poll(milliseconds))
