"""What the worker asks of its sockets, and of the machine about them."""

import resource
import select
import socket
import struct
from contextlib import suppress

RECEIVED_AT_ONCE = 65_536  # bytes
SEND_BUFFER = 524_288  # bytes: an answer goes there at once, so a client that reads slowly holds no thread
PATIENCE = 3  # milliseconds that a thread stays with a connection while no other waits for one


def may_open(files: int) -> None:
    """Let this process open so many files, where it is allowed to: each connection is one, and the usual is 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= soft < files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files if hard < 0 else min(files, hard), hard))


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


def is_waited_at(listener: socket.socket) -> bool:
    """Whether a connection waits there to be taken."""
    return _is(listener, select.POLLIN, 0)


def sent(client: socket.socket, answer: bytes) -> bool:
    """Whether all of *answer* went to *client*, which does not block."""
    with suppress(OSError):
        return client.send(answer) == len(answer)
    return False


def _is(client: socket.socket, state: int, milliseconds: int) -> bool:
    asked = select.poll()
    asked.register(client, state)
    return bool(asked.poll(milliseconds))
