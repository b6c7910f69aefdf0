"""Requests that are read from their bytes: just as gunicorn reads them, or not at all."""

import io
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http.errors import NoMoreData, ParseException
from gunicorn.http.parser import RequestParser
from gunicorn.http.wsgi import create
from hypothesis import given, settings
from hypothesis import strategies as st

from authserver.cli.serve import options
from authserver.settings import Settings
from authserver.web import plain

ADDRESS = "192.0.2.7"
BODY = b"grant_type=refresh_token&refresh_token=x"
FIELDS = ("Host: localhost:9000", "Accept: */*", "Connection: keep-alive", "Content-Type: text/plain", "X-One:two")
GUNICORN = Config()
for _name, _value in options(Settings()).items():
    GUNICORN.set(_name, _value)


def asked(*more: str, method: str = "POST", target: str = "/token", body: bytes = BODY, length: str = "") -> bytes:
    """One request, in one piece."""
    declared = (f"Content-Length: {length or len(body)}",) if method == "POST" else ()
    return "\r\n".join((f"{method} {target} HTTP/1.1", *FIELDS, *declared, *more, "", "")).encode("latin-1") + body


def by_gunicorn(received: bytes) -> dict[str, Any]:
    """The environment that gunicorn makes of *received*, which is one request and nothing after it."""
    parser = RequestParser(GUNICORN, iter([received]), (ADDRESS, 1))
    request = next(parser)
    _, environ = create(request, SimpleNamespace(send=None), (ADDRESS, 1), ("127.0.0.1", 9000), GUNICORN)
    body = environ["wsgi.input"].read()
    assert not parser.unreader.read()
    return {**environ, "wsgi.input": body}


def of_interest(environ: dict[str, Any]) -> dict[str, Any]:
    """What an application learns of the request itself."""
    names = ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE", "CONTENT_LENGTH", "wsgi.input")
    fields = {name: value for name, value in environ.items() if name.startswith("HTTP_") and name != "HTTP_CONNECTION"}
    return {**fields, **{name: environ.get(name) for name in (*names, "REMOTE_ADDR", "wsgi.input_terminated")}}


def read(received: bytes) -> dict[str, Any] | None:
    """What we make of it, its body read."""
    environ = plain.environ(received, ADDRESS)
    if environ is not None:
        assert isinstance(environ["wsgi.input"], io.BytesIO)
        environ["wsgi.input"] = environ["wsgi.input"].read()
    return environ


@pytest.mark.parametrize(
    "received",
    [
        asked(),
        asked("Authorization: Basic eDp5"),
        asked("X-Forwarded-For: 192.0.2.1, 198.51.100.2"),
        asked("Empty:"),
        asked("Spaced:  much  "),
        asked(target="/token?a=b&c=d?e"),
        asked(body=b"\r\n\r\nGET / HTTP/1.1\r\n\r\n"),
        asked(body=b"\x00\xff"),
        asked(method="GET", target="/jwks", body=b""),
        asked(method="GET", target="/authorize?scope=a%20b%2F%zz%&?x=/?", body=b""),
        asked("Cookie: a=b; c=d", method="GET", target="/authorize?", body=b""),
        asked('If-None-Match: "x"', method="GET", target="/jwks?", body=b""),
    ],
)
def test_a_plain_request_is_read_as_gunicorn_reads_it(received: bytes) -> None:
    found = read(received)
    assert found is not None
    assert of_interest(found) == of_interest(by_gunicorn(received))


@pytest.mark.parametrize(
    "received",
    [
        asked(method="HEAD", body=b""),
        asked(method="PUT", body=b""),
        asked(method="post"),
        asked(target="//token"),
        asked(target="http://localhost:9000/token"),
        asked(target="token"),
        asked(target="/to%6ben"),
        asked(target="/token#x"),
        asked(target="/to ken"),
        asked("Content-Length: 40"),
        asked("Content-Length: 41"),
        asked("Transfer-Encoding: chunked"),
        asked("Expect: 100-continue"),
        asked("Upgrade: h2c"),
        asked("Connection: keep-alive"),
        asked("Host: elsewhere"),
        asked("Host : elsewhere"),
        asked(" folded"),
        asked("X_One: y"),
        asked("X-Bytes: \xe9"),
        asked("X-Tab: a\tb"),
        asked("X-Null: \x00"),
        asked("X-Return: a\rb"),
        asked(length="41"),
        asked(length="39"),
        asked(length="+40"),
        asked(length="4_0"),
        asked(length="0040000"),
        asked(length="40, 40"),
        asked() + asked(),
        asked() + b"\r\n",
        asked(method="GET", body=b"x"),
        asked("Content-Length: 0", method="GET", body=b""),
        asked().replace(b"keep-alive", b"close"),
        asked().replace(b"keep-alive", b"keep-alive, upgrade"),
        asked().replace(b"\r\n", b"\n"),
        asked().replace(b"HTTP/1.1", b"HTTP/1.0"),
        asked().replace(b"Host", b"Hosts"),
        asked()[:-1],
        asked("X-Long: " + 4097 * "x"),
        asked(target="/" + 1025 * "x"),
        asked(target="/?" + 4097 * "x"),
        asked(*(f"X-{number}: y" for number in range(60))),
        b"",
        b"\x16\x03\x01" * 100,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_all_else_is_left_to_gunicorn(received: bytes) -> None:
    assert plain.environ(received, ADDRESS) is None


PIECES = [
    b"\r\n", b"\n", b"\r", b": ", b":", b" ", b"\t", b"\x00", b"\xff", b"0", b"1", b",", b"%", b"?", b"#", b"//", b"_",
    b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding : x\r\n", b"Host: b\r\n",
    b"Connection: close\r\n", b"X: y\r\n", b"HTTP/1.1", b"GET ",
]  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from([asked(), asked(method="GET", target="/jwks?a%41", body=b"")]),
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 3), st.sampled_from(PIECES)), min_size=1, max_size=3),
)
def test_whatever_is_put_into_a_request_is_read_as_gunicorn_reads_it_or_not_at_all(
    received: bytes, changes: list[tuple[int, int, bytes]]
) -> None:
    for place, out, put in changes:
        received = received[:place] + put + received[place + out :]
    found = read(received)
    if found is None:
        return
    try:
        whole = by_gunicorn(received)
    except (ParseException, NoMoreData, StopIteration) as refused:
        raise AssertionError(f"gunicorn refuses {received!r}") from refused
    assert of_interest(found) == of_interest(whole)


def test_an_answer_says_all_that_http_needs() -> None:
    answer = plain.answer("200 OK", [("Content-Length", "2"), ("X", "y")], b"{}", keep=True).decode()
    head, _, body = answer.partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    fields = dict(line.split(": ", 1) for line in lines)
    assert (status, body) == ("HTTP/1.1 200 OK", "{}")
    assert fields.pop("Date").endswith(" GMT")
    assert fields == {"Content-Length": "2", "X": "y", "Connection": "keep-alive"}
    assert b"\r\nConnection: close\r\n" in plain.answer("200 OK", [], b"", keep=False)


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: x=y", "a\nb", "a\rb", "a\0b", "a\x0bb", "a\x7fb"])
def test_no_header_field_breaks_its_line(value: str) -> None:
    with pytest.raises(ValueError, match="break its line"):
        plain.answer("200 OK", [("X", value)], b"", keep=True)


def test_a_header_field_may_have_what_latin_1_has() -> None:
    assert b"\r\nX: a\tb\xe9\xa0\r\n" in plain.answer("200 OK", [("X", "a\tb\xe9\xa0")], b"", keep=True)
    with pytest.raises(ValueError, match="latin-1"):
        plain.answer("200 OK", [("X", "\u2028")], b"", keep=True)
