"""What a worker answers by itself to requests that it has no thread for: bytes that are made once."""

from collections.abc import Mapping
from email.utils import formatdate

from flask import Flask, render_template

from ..protocol.errors import InvalidRequest, TemporarilyUnavailable
from . import problems
from .api import problem
from .backchannel import response
from .backchannel.response import Headers, Response
from .lanes import Lane

AGAIN = 2  # seconds
SAID = "too many such requests at this moment; try again"
PAGES = frozenset({Lane.AUTHORIZATIONS, Lane.PAGES, Lane.ACCOUNTS})
PAGE: Headers = [
    ("Content-Type", "text/html; charset=utf-8"),
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
]


class HeadTooLarge(InvalidRequest):
    """Request line and header fields over the bound (RFC 6585 §5)."""

    status_code = 431


def too_large() -> bytes:
    """The answer to a head that does not end."""
    return _wire(response.error(HeadTooLarge("the request's header fields are too large"), ""))


def refusals(app: Flask) -> Mapping[Lane, bytes]:
    """503 for each lane, in its own form: OAuth's, a problem of the API, or a page."""
    later = Response(503, [("Retry-After", str(AGAIN))])
    oauth = response.error(TemporarilyUnavailable(SAID, retry_after=AGAIN), "")
    with app.test_request_context():
        page = render_template("bare_problem.html", problem=problems.BY_STATUS[503])
    forms = {
        **dict.fromkeys(Lane, Response(503, [*oauth.headers, *response.PUBLIC], oauth.body)),
        **dict.fromkeys(PAGES, Response(503, [*PAGE, *later.headers], page.encode())),
        Lane.ADMINISTRATION: problem.answer(problem.Problem(503, SAID, headers=later.headers), ""),
    }
    return {lane: _wire(found) for lane, found in forms.items()}


def _wire(answer: Response) -> bytes:
    headers = [
        *((name, value) for name, value in answer.headers if value),
        ("Content-Length", str(len(answer.body))),
        ("Date", formatdate(usegmt=True)),
        ("Connection", "close"),
    ]
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 {answer.status_line}\r\n{head}\r\n".encode() + answer.body
