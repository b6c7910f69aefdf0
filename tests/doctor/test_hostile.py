"""Servers that mean harm to whoever looks at them: the doctor ends, in time, and its terminal obeys nobody."""

import itertools
import json
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from authserver.services.doctor.examination import examine
from authserver.services.doctor.outcome import MOST_SHOWN, State

from .conftest import probe
from .test_issuer import at, documents

STRANGE: list[object] = [None, 5, True, [], {}, [5, None, {}], "", "\x1b[2J", "https://[", "x" * 100_000]
MEMBERS = (
    "issuer", "token_endpoint", "authorization_endpoint", "jwks_uri", "registration_endpoint", "scopes_supported",
    "code_challenge_methods_supported", "token_endpoint_auth_methods_supported", "protected_resources",
)  # fmt: skip
MAY_BE_MISSING = ("protected_resources", "registration_endpoint")


@pytest.mark.requirement("DI-8")
@pytest.mark.parametrize("value", STRANGE, ids=lambda value: repr(value)[:20])
def test_a_document_of_wrong_types_is_judged_like_any_other(examined, value):
    for member in MEMBERS:
        found = examined(documents(**{member: value}))
        assert any(outcome.state is not State.OK for outcome in found.values()) or member in MAY_BE_MISSING


@pytest.mark.requirement("DI-8")
def test_what_a_server_says_cannot_steer_a_terminal_or_fill_it(examined):
    evil = "\x1b]0;owned\x07\x1b[2J\u202e\r\n" + "A" * 10_000
    found = examined(documents(issuer=evil, token_endpoint=evil))
    told = "".join(outcome.what + outcome.why + outcome.remedy for outcome in found.values())
    assert told.isprintable()
    assert max(len(outcome.what) for outcome in found.values()) < 12 * MOST_SHOWN


@pytest.mark.requirement("DI-8")
@pytest.mark.parametrize("body", ["[" * 100_000, '{"issuer":' * 20_000, "9" * 100_000, "\0", '{"issuer": NaN}', "{}"])
def test_json_that_is_none_or_too_deep_is_told(examined, body):
    def then(reply):
        return reply.become(200, body, "application/json").header("Access-Control-Allow-Origin", "*")

    found = examined(at("/.well-known/", method="GET", then=then))
    assert State.FAIL in {outcome.state for outcome in found.values()}


@pytest.mark.requirement("DI-8")
def test_keys_that_are_none_are_told(examined):
    for body in (
        '{"keys": [{"alg": {}, "kid": "x"}]}',
        '{"keys": 5}',
        '{"keys": [5]}',
        '{"keys": [{"alg": {}, "kid": []}]}',
        "[]",
    ):
        found = examined(at("/jwks", method="GET", then=lambda reply, body=body: reply.swap("{", "").become(
            200, body, "application/json").header("Access-Control-Allow-Origin", "*")))  # fmt: skip
        assert found["keys"].state is not State.OK


@pytest.mark.requirement("DI-8")
@pytest.mark.parametrize("depth", range(500, 950, 50))
def test_a_value_as_deep_as_can_be_read_can_be_told_of(examined, depth):
    deep = json.loads("[" * depth + "]" * depth)
    found = examined(documents(issuer=deep, token_endpoint=deep))
    assert State.FAIL in {outcome.state for outcome in found.values()}


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def endless_body() -> Iterator[bytes]:
    yield HEAD + b"\r\n"
    yield from itertools.repeat(b"A" * 65_536)


def huge_header() -> Iterator[bytes]:
    yield HEAD
    yield from itertools.repeat(b"X-More: " + b"A" * 8_000 + b"\r\n")


def slow_drip() -> Iterator[bytes]:
    yield HEAD
    for _ in itertools.count():
        threading.Event().wait(0.02)
        yield b"X"


def not_http() -> Iterator[bytes]:
    yield b"SSH-2.0-OpenSSH\r\n" * 10


def nothing() -> Iterator[bytes]:
    yield b""


def compressed() -> Iterator[bytes]:
    yield HEAD + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08"


def bad_length() -> Iterator[bytes]:
    yield HEAD + b"Content-Length: -5\r\n\r\n{}"


@contextmanager
def saying(what: Callable[[], Iterator[bytes]]) -> Iterator[str]:
    """A server that answers every connection with *what*."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65_536)
            try:
                for part in what():
                    self.request.sendall(part)
            except OSError:
                return

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.requirement("DI-8")
@pytest.mark.parametrize(
    "what", [endless_body, huge_header, slow_drip, not_http, nothing, compressed, bad_length], ids=lambda w: w.__name__
)
def test_a_server_that_answers_without_end_or_sense_is_left_in_time(what):
    with saying(what) as url:
        began = time.monotonic()
        found = list(examine(url, probe(seconds=2.0)))
        assert time.monotonic() - began < 60
    assert State.FAIL in {outcome.state for outcome in found}
    assert json.dumps([outcome.what for outcome in found])


@pytest.mark.requirement("DI-8")
def test_all_looking_together_has_an_end(place):
    found = list(examine(place.issuer, probe(seconds=0.0)))
    assert [outcome.check for outcome in found] == ["reachable"]
