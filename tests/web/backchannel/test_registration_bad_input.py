"""Registrations made to cost much: refused after little work, which is counted in calls and bytes, not in seconds."""

import io
import json
import sys
from typing import Any

import pytest
from werkzeug.test import run_wsgi_app

from tests.conformance.flow import PUBLIC
from tests.conformance.site import Site

JSON = "application/json"
MOST_BODY = 65_536


class Counting(io.BytesIO):
    """A body that counts what is read of it."""

    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(size)
        self.taken += len(found)
        return found


def calls(site: Site, body: bytes) -> tuple[int, int]:
    """The status that *body* gets, and how many calls of functions that took."""
    client = site.app.test_client()
    made = 0

    def count(*seen: object) -> None:
        nonlocal made
        made += seen[1] in {"call", "c_call"}

    sys.setprofile(count)
    try:
        status = client.post("/register", data=body, content_type=JSON).status_code
    finally:
        sys.setprofile(None)
    return status, made


@pytest.mark.requirement("CR-1", "CR-2")
@pytest.mark.parametrize(
    "body",
    [
        {**PUBLIC, "redirect_uris": [""] * 10_000},
        {**PUBLIC, "redirect_uris": ["https://a.example/" + "x" * 60_000]},
        {**PUBLIC, "grant_types": ["x"] * 10_000},
        {**PUBLIC, "contacts": ["x"] * 10_000},
        {**PUBLIC, "client_name": "\u0301" * 9_000},
        {**PUBLIC, "scope": "x " * 30_000},
        {**PUBLIC, **{f"x{number}": number for number in range(4_000)}},
        {**PUBLIC, "redirect_uris": {str(number): number for number in range(4_000)}},
    ],
    ids=["uris", "long uri", "grants", "contacts", "accents", "scopes", "members", "object"],
)
def test_many_of_anything_is_not_many_times_the_work(site: Site, body: dict[str, Any]) -> None:
    calls(site, json.dumps(PUBLIC).encode())
    _, usual = calls(site, json.dumps(PUBLIC).encode())
    encoded = json.dumps(body).encode()
    assert len(encoded) <= MOST_BODY
    status, made = calls(site, encoded)
    assert status in {201, 400}
    # One call a character of a name, and one an entry of a list, are cheap; more would be more than linear.
    assert made < usual + 30_000


@pytest.mark.requirement("CR-1", "CR-2")
@pytest.mark.parametrize("declared", [True, False])
def test_a_huge_body_is_not_read_beyond_the_bound(site: Site, declared: bool) -> None:
    body = Counting(b'{"redirect_uris": ["' + b"x" * 5_000_000)
    length = {"CONTENT_LENGTH": "5000020"} if declared else {"wsgi.input_terminated": True}
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/register", "CONTENT_TYPE": JSON, "wsgi.input": body, **length}
    answered, status, _ = run_wsgi_app(site.app.wsgi_app, environ)
    assert status.startswith("413"), b"".join(answered)
    assert body.taken <= (0 if declared else MOST_BODY + 1)


@pytest.mark.requirement("CR-1")
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 60_000,
        b'{"a":' * 12_000,
        b'{"redirect_uris":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
        b'{"redirect_uris": [' + b"9" * 60_000 + b"]}",
        b'{"redirect_uris": ["\\ud800"]}',
        b'{"client_name": NaN, "redirect_uris": ["https://a.example/cb"]}',
        b'{"redirect_uris": ["https://a.example/cb"], "redirect_uris": ["javascript:alert(1)"]}',
    ],
)
def test_odd_json_is_refused_in_the_protocols_form(site: Site, body: bytes) -> None:
    answer = site.post("/register", data=body, content_type=JSON)
    assert answer.status_code == 400
    assert answer.json["error"] in {"invalid_client_metadata", "invalid_redirect_uri"}
