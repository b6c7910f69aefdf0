"""Requests that no honest client sends: valid ones, damaged, as raw as a server passes them on (PEP 3333)."""

import io
import json
from dataclasses import dataclass, field
from urllib.parse import quote_from_bytes

from hypothesis import strategies as st
from werkzeug.test import run_wsgi_app

from tests.conformance.site import Site

ADDRESS = "192.0.2.7"  # failures to sign in are counted against it, and not against that of other tests
FORM = "application/x-www-form-urlencoded"
Pairs = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Attempt:
    """A raw request; ``path`` and ``query`` are as they stand in the request line."""

    method: str
    path: str
    query: bytes = b""
    body: bytes = b""
    content_type: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


def send(site: Site, attempt: Attempt) -> Answer:
    """Hand *attempt* to the application as a server would."""
    environ = {
        "REQUEST_METHOD": attempt.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": attempt.path.encode("utf-8", "surrogatepass").decode("latin-1"),
        "QUERY_STRING": attempt.query.decode("latin-1"),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "9000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": ADDRESS,
        "HTTP_HOST": "localhost:9000",
        "CONTENT_LENGTH": str(len(attempt.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(attempt.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        **{"HTTP_" + name.upper().replace("-", "_"): value for name, value in attempt.headers.items()},
    }
    if attempt.content_type is not None:
        environ["CONTENT_TYPE"] = attempt.content_type
    found, status, headers = run_wsgi_app(site.app, environ, buffered=True)
    return Answer(int(status.split()[0]), dict(headers), b"".join(found))


NASTY = st.sampled_from(
    [
        b"", b" ", b"\0", b"a\0b", b"\xff\xfe", b"\xed\xa0\x80", "\U0001f600\u202e".encode(), b"\r\nSet-Cookie: a=b",
        b"x" * 5_000, b"x" * 70_000, b"null", b"-1", b"[]", b"{}", b"%", b"%zz", b"'\"><script>alert(1)</script>",
        b"javascript:alert(1)", b"data:text/html,x", b"//evil.example", b"https://evil.example/callback",
        b"http://127.0.0.1:5000@evil.example/callback", b"http://127.0.0.1:5000/callback#x", b"\\\\evil.example",
        b"http://[::1", b"http://127.0.0.1:99999/callback", b"../../etc/passwd", b"mcpr_x.y", b"mcpc_x", b"a.b.c",
        b"plain", b"token id_token", b"none", b"notes:read " * 300, b"9" * 400,
    ]
)  # fmt: skip
VALUES = NASTY | st.binary(max_size=60)
NAMES = st.sampled_from(
    [
        b"client_id", b"client_secret", b"redirect_uri", b"response_type", b"scope", b"state", b"resource", b"code",
        b"code_challenge", b"code_challenge_method", b"code_verifier", b"grant_type", b"refresh_token", b"token",
        b"token_type_hint", b"prompt", b"request", b"request_uri", b"response_mode", b"next", b"username",
        b"password", b"csrf_token", b"decision", b"shown", b"id", b"user", b"q", b"after", b"access_token", b"",
    ]
)  # fmt: skip
TYPES = st.sampled_from(
    [FORM, f"{FORM}; charset=utf-16", "application/json", "multipart/form-data; boundary=x", "multipart/form-data",
     "text/plain", "", "\xff", "application/x-www-form-urlencoded, text/html", None]
)  # fmt: skip
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Host": st.sampled_from(["evil.example", "", "localhost:9000\0", "[::1", "a" * 300, "localhost:9000:9000"]),
        "X-Forwarded-Host": st.just("evil.example"),
        "X-Forwarded-For": st.sampled_from(["", "x", "1.1.1.1, 2.2.2.2", "\xff"]),
        "X-Forwarded-Proto": st.just("https"),
        "Authorization": st.sampled_from(
            ["", "Basic", "Basic !", "Basic Og==", "Basic YTpi", "Basic gDqA", "Bearer", "Bearer x", "\xff"]
        ),
        "Cookie": st.sampled_from(["session=x", "session=.eJ.x.y; device=\xff", "=;=;", "device=" + "x" * 5_000]),
        "Origin": st.sampled_from(["null", "https://evil.example", "\xff"]),
        "Referer": st.sampled_from(["", "https://evil.example/", "\xff"]),
        "If-None-Match": st.sampled_from(["*", '"', "W/", "\xff"]),
        "Access-Control-Request-Headers": st.sampled_from(["a\r\nb: c", "\xff", "x" * 4_000]),
        "Content-Length": st.sampled_from(["-1", "x", "99999999999"]),
        "Transfer-Encoding": st.just("chunked"),
        "Accept-Language": st.just("\xff"),
    },
)


def encoded(pairs: Pairs, *, raw: bool) -> bytes:
    """*pairs* as a form; *raw* leaves the bytes of names and values as they are."""
    code = (lambda part: part) if raw else (lambda part: quote_from_bytes(part, safe="").encode())
    return b"&".join(code(name) + b"=" + code(value) for name, value in pairs)


@st.composite
def damaged(draw: st.DrawFn, valid: dict[str, str]) -> bytes:
    """The form *valid* with parameters left out, repeated, replaced and added."""
    pairs = [(name.encode(), value.encode()) for name, value in valid.items()]
    for _ in range(draw(st.integers(0, 3))):
        what = draw(st.sampled_from(["drop", "repeat", "replace", "add"]))
        at = draw(st.integers(0, max(len(pairs) - 1, 0)))
        if what == "add" or not pairs:
            pairs.append((draw(NAMES), draw(VALUES)))
        elif what == "drop":
            del pairs[at]
        elif what == "repeat":
            pairs.append((pairs[at][0], draw(VALUES)))
        else:
            pairs[at] = (pairs[at][0], draw(VALUES))
    return encoded(pairs, raw=draw(st.booleans()))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40)
    | st.sampled_from(["javascript:alert(1)", "https://evil.example/cb", "\0", "\ud800", "x" * 5_000]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip
MEMBERS = st.sampled_from(
    [
        "redirect_uris", "client_name", "client_uri", "logo_uri", "contacts", "grant_types", "response_types", "scope",
        "token_endpoint_auth_method", "application_type", "software_id", "jwks", "jwks_uri", "client_id",
    ]
)  # fmt: skip


@st.composite
def registrations(draw: st.DrawFn) -> bytes:
    """Bodies for registration: a valid one with members replaced, or no object at all."""
    if draw(st.booleans()):
        return draw(st.binary(max_size=80) | st.sampled_from([b"[" * 5_000, b"{" + b" " * 70_000 + b"}", b"\xff{}"]))
    valid = {"redirect_uris": ["http://127.0.0.1:5000/callback"], "client_name": "hostile"}
    changes = draw(st.dictionaries(MEMBERS, JSON_VALUES, max_size=4))
    return json.dumps({**valid, **changes}).encode("utf-8", "surrogatepass")
