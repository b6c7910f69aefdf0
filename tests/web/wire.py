"""Requests as bytes on a connection of our own, and their answers."""

import socket
from collections.abc import Iterator

import pytest

from authserver.web.backchannel.request import FORM_TYPE
from tests.browser.conftest import running
from tests.browser.scene import Scene

__all__ = ["running"]


@pytest.fixture
def connection(running: Scene) -> Iterator[socket.socket]:
    with socket.create_connection(("localhost", int(running.issuer.rpartition(":")[2])), timeout=10) as found:
        yield found


def head(connection: socket.socket) -> bytes:
    """What comes up to the end of one answer's header fields."""
    received = b""
    while not received.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        assert byte, received
        received += byte
    return received


def calling(path: str = "/token", body: bytes = b"grant_type=none", **more: str) -> bytes:
    """A plain call of a program."""
    fields = {"Host": "localhost", "Content-Type": FORM_TYPE, "Content-Length": str(len(body)), **more}
    lines = (f"POST {path} HTTP/1.1", *(f"{name}: {each}" for name, each in fields.items()), "", "")
    return "\r\n".join(lines).encode() + body


def answered(connection: socket.socket) -> tuple[bytes, bytes]:
    """The head and the body of one answer."""
    found = head(connection)
    length = int(found.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return found, connection.recv(length, socket.MSG_WAITALL)
