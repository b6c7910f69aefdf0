"""Clients that send slowly, or nothing, over real connections: they hold no thread, and not for ever anything else."""

import json
import resource
import select
import socket
import time
from contextlib import suppress
from urllib.parse import urlencode

import pytest

from authserver.cli.leaving import SECONDS
from authserver.cli.worker import MOST_HELD
from tests.browser.scene import Scene
from tests.conformance.site import NOTES
from tests.web.backchannel.test_client_credentials import Machine

from .conftest import asks, caller

MANY = 120  # times as many as the worker has threads
FORM = b"Host: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"


def connected(running: Scene) -> socket.socket:
    return socket.create_connection(("localhost", int(running.issuer.rpartition(":")[2])), timeout=30)


def answer(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Status, header fields and body of the next answer on *connection*."""
    received = b""
    while b"\r\n\r\n" not in received:
        more = connection.recv(1)
        assert more, received
        received += more
    lines = received.decode().split("\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}
    length = int(fields.get("content-length", 0))
    return int(lines[0].split()[1]), fields, connection.recv(length, socket.MSG_WAITALL) if length else b""


def is_let_go(connection: socket.socket) -> bool:
    try:
        while connection.recv(4096):
            pass
    except ConnectionError:
        return True
    return True


def is_closed_unread(connection: socket.socket) -> bool:
    """Whether the other side has closed it within half a minute, without anything of it being read here."""
    asked = select.poll()
    asked.register(connection, select.POLLRDHUP)
    return bool(asked.poll(30_000))


BEGUN = [
    b"",
    b"POST /to",
    b"POST /token HTTP/1.1\r\n" + FORM,
    b"POST /token HTTP/1.1\r\n" + FORM + b"Content-Length: 500\r\n\r\ngrant_type=client_cre",
    b"POST /token HTTP/1.1\r\n" + FORM + b"Content-Length: 0000000000000500\r\n\r\ngrant_type=client_cre",
    b"POST /tool-receipts HTTP/1.1\r\n" + FORM + b"Content-Length: 500000\r\n\r\nreceipts=",
    b"POST /token HTTP/1.1\r\n" + FORM + b"Transfer-Encoding: chunked\r\n\r\n5\r\ngr",
]


def test_token_calls_go_on_while_many_connections_trickle(running: Scene, indexer: Machine) -> None:
    slow = [connected(running) for _ in range(MANY)]
    try:
        for number, each in enumerate(slow):
            each.sendall(BEGUN[number % len(BEGUN)])
        with caller() as kept:
            for one in range(30):
                slow[one].send(b"x")
                assert asks(running, indexer, kept) == 200
                with caller() as fresh:
                    assert asks(running, indexer, fresh) == 200
        assert all(is_let_go(each) for each in slow), "each was told, or closed, after its time"
    finally:
        for each in slow:
            each.close()


def test_receipts_are_taken_while_others_trickle(running: Scene) -> None:
    slow = [connected(running) for _ in range(20)]
    try:
        for each in slow:
            each.sendall(b"POST /tool-receipts HTTP/1.1\r\n" + FORM + b"Transfer-Encoding: chunked\r\n\r\n5\r\ngr")
        with caller() as http:
            assert http.post(f"{running.issuer}/tool-receipts", json={}).status_code == 400
        assert not select.select(slow, [], [], 0)[0], "they still do"
    finally:
        for each in slow:
            each.close()


def test_heads_that_do_not_end_hold_no_memory_without_end(running: Scene, indexer: Machine) -> None:
    """As much as the worker holds together comes twice: the oldest are let go, and new ones are served."""
    size, begun = 30_000, b"GET /jwks HTTP/1.1\r\nHost: localhost\r\nX: "
    slow: list[socket.socket] = []
    try:
        while len(slow) * size < 2 * MOST_HELD:
            slow.append(connected(running))
            with suppress(ConnectionError):
                slow[-1].sendall(begun + b"x" * (size - len(begun)))
        assert is_let_go(slow[0])
        with caller() as http:
            assert asks(running, indexer, http) == 200
    finally:
        for each in slow:
            each.close()


def test_more_connections_than_there_is_room_for_leave_room_for_calls(running: Scene, indexer: Machine) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    silent: list[socket.socket] = []
    try:
        silent += [connected(running) for _ in range(1100)]
        with caller() as http:
            assert [asks(running, indexer, http) for _ in range(5)] == [200] * 5
        assert is_let_go(silent[0])
    finally:
        for each in silent:
            each.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_who_asks_on_and_reads_no_answer_is_let_go(running: Scene, indexer: Machine) -> None:
    deaf = []
    try:
        for _ in range(12):
            each = socket.socket()
            each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            each.connect(("127.0.0.1", int(running.issuer.rpartition(":")[2])))
            deaf.append(each)
            each.setblocking(False)
            with suppress(BlockingIOError, ConnectionError):
                for _ in range(5000):
                    each.send(b"GET /jwks HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with caller() as http:
            assert [asks(running, indexer, http) for _ in range(20)] == [200] * 20
        assert all(is_closed_unread(each) for each in deaf)
    finally:
        for each in deaf:
            each.close()


@pytest.mark.parametrize(
    "last", [b"GET /jwks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", b"nonsense\r\n\r\n"]
)
def test_who_does_not_close_after_the_last_answer_holds_nobody(running: Scene, indexer: Machine, last: bytes) -> None:
    open_ones = [connected(running) for _ in range(5)]
    try:
        with caller() as http:
            assert asks(running, indexer, http) == 200
            began = time.monotonic()
            for each in open_ones:
                each.sendall(last)
                assert answer(each)[0] in (200, 400)
                assert each.recv(1) == b"", "nothing more comes"
                assert asks(running, indexer, http) == 200
            assert time.monotonic() - began < SECONDS
        assert all(is_closed(each) for each in open_ones), "after a while the worker closes by itself"
    finally:
        for each in open_ones:
            each.close()


def is_closed(connection: socket.socket) -> bool:
    """Whether within half a minute the other side takes nothing more."""
    until = time.monotonic() + 30
    try:
        while time.monotonic() < until:
            connection.send(b"x")
            time.sleep(0.1)
    except ConnectionError:
        return True
    return False


def test_who_goes_on_sending_after_the_last_answer_is_let_go(running: Scene) -> None:
    with connected(running) as connection:
        connection.sendall(b"POST /token HTTP/1.1\r\n" + FORM + b"Content-Length: 90000000\r\n\r\n")
        assert answer(connection)[0] == 413
        with pytest.raises(ConnectionError):
            connection.sendall(b"x" * 90_000_000)


def test_a_request_in_many_pieces_is_answered(running: Scene, indexer: Machine) -> None:
    form = {"grant_type": "client_credentials", "resource": NOTES.identifier, **indexer.proof()}
    body = urlencode(form).encode()
    request = b"POST /token HTTP/1.1\r\n" + FORM + f"Content-Length: {len(body)}\r\n\r\n".encode() + body
    with connected(running) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(request), 7):
            connection.sendall(request[at : at + 7])
        assert answer(connection)[0] == 200
        connection.sendall(request + request + request[:40])
        assert [answer(connection)[0] for _ in range(2)] == [200, 200]
        connection.sendall(request[40:])
        assert answer(connection)[0] == 200


def test_bodies_that_come_while_they_are_read_are_answered(running: Scene, indexer: Machine) -> None:
    form = {"grant_type": "client_credentials", "resource": NOTES.identifier, **indexer.proof()}
    body = urlencode(form).encode()
    with connected(running) as connection:
        connection.sendall(b"POST /token HTTP/1.1\r\n" + FORM + b"Transfer-Encoding: chunked\r\n\r\n")
        for at in range(0, len(body), 20):
            piece = body[at : at + 20]
            connection.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        connection.sendall(b"0\r\n\r\n")
        assert answer(connection)[0] == 200
        head = b"POST /token HTTP/1.1\r\n" + FORM + b"Expect: 100-continue\r\n"
        connection.sendall(head + f"Content-Length: {len(body)}\r\n\r\n".encode())
        assert answer(connection)[0] == 100
        connection.sendall(body)
        assert answer(connection)[0] == 200


@pytest.mark.parametrize(
    ("request_bytes", "status", "error"),
    [
        (b"GET /jwks HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 70_000, 431, "invalid_request"),
        (b"GET /jwks HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 9_000 + b"\r\n\r\n", 431, None),
        (b"GET /jwks HTTP/1.1\r\nHost: localhost\r\n" + b"X: x\r\n" * 100 + b"\r\n", 431, None),
        (b"GET /jwks?" + b"x" * 9_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414, None),
        (b"POST /token HTTP/1.1\r\n" + FORM + b"Content-Length: 70000\r\n\r\n", 413, "invalid_request"),
        (b"POST /token HTTP/1.1\r\n" + FORM + b"Content-Length: 9999999999999999\r\n\r\n", 413, "invalid_request"),
        (b"POST /token HTTP/1.1\r\n" + FORM + b"Content-Length: 3\r\nContent-Length: 900\r\n\r\nx=y", 400, None),
    ],
)
def test_what_is_larger_than_anybody_needs_is_refused(
    running: Scene, request_bytes: bytes, status: int, error: str | None
) -> None:
    with connected(running) as connection:
        connection.sendall(request_bytes)
        found, fields, body = answer(connection)
        assert found == status
        if error is not None:
            assert fields["content-type"] == "application/json"
            assert json.loads(body)["error"] == error
