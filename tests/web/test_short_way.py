"""The short way of plain requests, past gunicorn's parser and writer: who goes it is answered as all others are."""

import re
import socket
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from io import BytesIO
from types import SimpleNamespace
from typing import Any, cast

import pytest
from flask import Flask

from authserver.cli import worker
from authserver.cli.short_way import FAILED, ShortWay
from authserver.cli.worker import Worker
from authserver.web.backchannel.request import FORM_TYPE
from authserver.web.lanes import Lane, Turns
from tests.browser.scene import Scene
from tests.conformance.fixtures import set_up, site_with
from tests.conformance.site import Site

from .wire import answered, calling, connection, head, running

AUTHORIZING = b"GET /authorize HTTP/1.1\r\nHost: localhost\r\n\r\n"
REFERENCE = re.compile(rb"[0-9A-Z]{5}-[0-9A-Z]{5}")

__all__ = ["connection", "running", "set_up", "site_with"]


@pytest.mark.requirement("TK-7")
def test_a_call_is_answered_alike_by_either_way(connection: socket.socket) -> None:
    connection.sendall(calling(TE="trailers"))  # a field that is gunicorn's to read
    (first, body), names = answered(connection), []
    assert first.startswith(b"HTTP/1.1 401 ")
    assert b"Server: gunicorn" in first
    for _ in range(20):
        connection.sendall(calling())
        later, again = answered(connection)
        assert b"Server: gunicorn" not in later
        assert (later.split(b"\r\n")[0], again) == (first.split(b"\r\n")[0], body)
        names = [{line.partition(b":")[0] for line in each.split(b"\r\n")[1:]} for each in (first, later)]
    assert names[0] - names[1] == {b"Server"}
    assert names[0] >= names[1]


@pytest.mark.requirement("AZ-1")
@pytest.mark.parametrize("query", ["?client_id=nobody%20here&state=%C3%A9", "?", "", "?a=%zz&a=%00&&=?/"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_authorization_request_is_answered_alike_by_either_way(
    connection: socket.socket, method: str, query: str
) -> None:
    fields = f"Host: localhost\r\nContent-Type: {FORM_TYPE}\r\n" + ("Content-Length: 0\r\n" if method == "POST" else "")
    seen = []
    for more in ("TE: trailers\r\n", "", ""):
        connection.sendall(f"{method} /authorize{query} HTTP/1.1\r\n{fields}{more}\r\n".encode())
        found, page = answered(connection)
        status, *lines = found.strip().split(b"\r\n")
        told = dict(line.split(b": ", 1) for line in lines)
        assert told.pop(b"Server", None) == (b"gunicorn" if more else None)
        assert re.fullmatch(rb"device=[\w-]{43}; Max-Age=34560000; HttpOnly; Path=/; SameSite=Lax", told[b"Set-Cookie"])
        changing = {b"Date", b"Set-Cookie", b"Content-Length"}
        seen.append(
            (status, {name: each for name, each in told.items() if name not in changing}, REFERENCE.sub(b"", page))
        )
    assert seen[0] == seen[1] == seen[2]
    assert seen[0][0].startswith(b"HTTP/1.1 400 ")


@pytest.mark.requirement("TK-7")
def test_a_call_in_parts_and_several_in_one_go_are_answered(connection: socket.socket) -> None:
    for _ in range(3):
        connection.sendall(calling())
        _, wanted = answered(connection)
        for cut in (10, 60, len(calling()) - 3):
            connection.sendall(calling()[:cut])
            connection.sendall(calling()[cut:])
            assert answered(connection)[1] == wanted
        connection.sendall(calling() * 3)
        assert [answered(connection)[1] for _ in range(3)] == [wanted] * 3


@pytest.mark.requirement("TK-7")
def test_a_call_that_is_the_last_one_closes(connection: socket.socket) -> None:
    connection.sendall(calling())
    answered(connection)
    connection.sendall(calling(Connection="close"))
    assert b"\r\nConnection: close\r\n" in answered(connection)[0]
    assert connection.recv(1) == b""


@pytest.mark.parametrize(("request_", "status"), [(calling(), b"401"), (AUTHORIZING, b"400")])
def test_who_stays_takes_no_thread_from_others(running: Scene, request_: bytes, status: bytes) -> None:
    """More connections than threads, all of them in use: each is answered."""
    port = int(running.issuer.rpartition(":")[2])
    with ExitStack() as kept:
        every = [kept.enter_context(socket.create_connection(("localhost", port), timeout=10)) for _ in range(40)]
        for _ in range(5):
            for one in every:
                one.sendall(request_)
            assert all(answered(one)[0].startswith(b"HTTP/1.1 " + status + b" ") for one in every)


def test_pages_are_answered_between_calls(connection: socket.socket) -> None:
    for _ in range(3):
        for request in (calling(), AUTHORIZING):
            connection.sendall(request)
            assert b"Server: gunicorn" not in answered(connection)[0]
        connection.sendall(b"GET /sign-in HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"Server: gunicorn" in answered(connection)[0]


@pytest.mark.parametrize("more", [{"X-Long": 9000 * "x"}, {f"X-{number}": "y" for number in range(70)}])
def test_what_is_too_long_is_refused_on_a_kept_connection_too(connection: socket.socket, more: dict[str, str]) -> None:
    connection.sendall(calling())
    answered(connection)
    connection.sendall(calling("/token", b"grant_type=none", **more))
    assert head(connection).startswith(b"HTTP/1.1 4")


@dataclass
class Failing:
    """An application that fails, and the pieces of its answer, which are to be closed."""

    extensions: dict[str, Any]
    how: BaseException | None
    closed: bool = False

    def __call__(self, _environ: dict[str, Any], start_response: Callable[..., Any]) -> "Failing":
        if isinstance(self.how, OSError):
            raise self.how
        start_response("200 OK", [("X", "a\r\nb")], None)
        return self

    def __iter__(self) -> Iterator[bytes]:
        if self.how is not None:
            raise self.how
        yield b"x"

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("how", [OSError(), ZeroDivisionError(), None])
def test_whoever_fails_says_so_and_closes(site_with: Callable[[], Site], how: BaseException | None) -> None:
    """No answer at all would have a proxy take the server for dead."""
    failing = Failing(site_with().app.extensions, how)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        conn: Any = SimpleNamespace(client=("192.0.2.1", 1), sock=ours, unseen=0)
        assert ShortWay(cast(Flask, failing)).answer(conn, AUTHORIZING, keep=True) is False
        assert answered(theirs) == (FAILED, b"")
    assert failing.closed is not isinstance(how, OSError)


def test_who_begins_to_wait_meanwhile_is_not_overtaken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that waited for the next request of its own looks again whether another's came first."""
    ours: Any = Worker.__new__(Worker)
    ours.alive, ours._queue, ours._turns = True, deque(), Turns(8)
    parser = SimpleNamespace(unreader=SimpleNamespace(buf=BytesIO()))
    conn = SimpleNamespace(sock=None, unseen=0, lane=Lane.AUTHORIZATIONS, parser=parser)
    comes: list[Callable[[], object]] = [lambda: None, lambda: ours._queue.append(None)]
    monkeypatch.setattr(worker, "sends_more", lambda _: comes.pop(0)() is None)
    assert [ours._stays(conn), ours._stays(conn), comes] == [True, False, []]
