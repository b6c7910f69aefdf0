"""The connections that the guard keeps to its issuer, and what may happen to these."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mcp_token_guard.fetch import FetchError, fetch, post

pytestmark = pytest.mark.requirement("RS-7")
MIDDLEWARE = Path(__file__).resolve().parents[2] / "middleware"


class Server(ThreadingHTTPServer):
    """Keeps connections open; each is a list in ``connections``, of the headers of its requests."""

    daemon_threads = True
    hangs_up_at: int | None = None  # at which request of a connection it hangs up without an answer

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), Answers)
        self.url = f"http://localhost:{self.server_port}"
        self.connections: list[Answers] = []


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def setup(self) -> None:
        super().setup()
        self.asked: list[dict[str, str]] = []
        self.server.connections.append(self)

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.asked.append(dict(self.headers))
        if len(self.asked) == self.server.hangs_up_at:
            self.close_connection = True
            return
        status = 304 if self.headers.get("If-None-Match") else 404 if self.path == "/none" else 200
        body = b"" if status == 304 else b"{}" * (200_000 if self.path == "/endless" else 1)
        self.send_response(status)
        self.send_header("ETag", '"1"')
        self.send_header("Set-Cookie", "session=1; Path=/")
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *args) -> None:
        pass


@contextmanager
def running(port: int = 0) -> Iterator[Server]:
    server = Server(port)
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        for connection in server.connections:
            server.shutdown_request(connection.request)
        server.server_close()
        thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    with running() as it:
        yield it


def asked(server: Server) -> list[int]:
    """How many requests came over each connection."""
    return [len(connection.asked) for connection in server.connections]


async def test_what_is_asked_again_and_again_is_asked_over_one_connection(server: Server):
    document = await fetch(server.url)
    for _ in range(3):
        assert await fetch(server.url, document) is document
    with pytest.raises(FetchError, match="404"):
        await fetch(f"{server.url}/none")
    assert await post(server.url, {"a": "b"}) == (200, b"{}")
    assert await fetch(server.url) == document
    assert asked(server) == [7]


async def test_a_connection_on_which_too_much_came_is_used_no_more(server: Server):
    with pytest.raises(FetchError, match="larger"):
        await fetch(f"{server.url}/endless")
    await fetch(server.url)
    assert asked(server) == [1, 1]


async def test_no_cookie_is_kept(server: Server):
    for _ in range(2):
        await fetch(server.url)
    assert not any("Cookie" in headers for headers in server.connections[0].asked)


async def test_a_connection_that_the_server_closed_while_it_rested_is_made_anew(server: Server):
    await fetch(server.url)
    server.shutdown_request(server.connections[0].request)
    await fetch(server.url)
    assert asked(server) == [1, 1]


async def test_a_question_that_crosses_with_the_servers_closing_is_asked_again(server: Server):
    server.hangs_up_at = 2
    document = await fetch(server.url)
    assert await fetch(server.url, document) is document
    assert asked(server) == [2, 1]


async def test_what_was_posted_is_never_sent_again(server: Server):
    server.hangs_up_at = 2
    await post(server.url, {"a": "b"})
    with pytest.raises(FetchError):
        await post(server.url, {"a": "b"})
    assert asked(server) == [2]


async def test_a_server_that_restarts_is_found_again():
    with running() as before:
        document = await fetch(before.url)
    with pytest.raises(FetchError):
        await fetch(before.url, document)
    with running(before.server_port) as after:
        assert await fetch(after.url, document) is document


PROGRAM = """
import os, sys
from mcp_token_guard.background import drive
from mcp_token_guard.fetch import fetch

url = sys.argv[1]
document = drive(fetch(url))
child = os.fork()
assert drive(fetch(url, document)) is document
if child == 0:
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
assert drive(fetch(url, document)) is document
"""
FAR = """
import sys
from mcp_token_guard.background import drive
from mcp_token_guard.fetch import FetchError, fetch

assert drive(fetch("http://as.invalid/document"))
try:
    drive(fetch("http://localhost:1/document"))
except FetchError as error:
    assert "ConnectError" in str(error), error
"""


def run(program: str, *arguments: str, **environment: str) -> tuple[int, str, str]:
    command = [sys.executable, "-W", "error", "-c", program, *arguments]
    done = subprocess.run(
        command, cwd=MIDDLEWARE, capture_output=True, text=True, timeout=60, check=False, env=environment
    )
    return done.returncode, done.stdout, done.stderr


def test_a_process_that_forks_and_ends_leaves_its_parents_connection_alone(server: Server):
    assert run(PROGRAM, server.url) == (0, "", "")
    assert sorted(asked(server)) == [1, 3], "the child's own one, and the parent's"


def test_what_is_far_away_is_asked_by_the_environments_proxy_and_loopback_is_not(server: Server):
    assert run(FAR, HTTP_PROXY=server.url, http_proxy=server.url) == (0, "", "")
    assert asked(server) == [1]
