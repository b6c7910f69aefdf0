"""What every request passes first: a body that cannot be read is the client's mistake, and headers move nothing."""

from typing import Any

import pytest
from werkzeug.exceptions import BadRequest
from werkzeug.test import create_environ, run_wsgi_app

from authserver.web.backchannel.application import Backchannel, StartResponse
from authserver.web.front import Body, Front
from tests.conformance.fixtures import site

__all__ = ["site"]

NEVER: Any = None  # what answers authorization requests: there are none here


class Broken:
    """A server's stream in the middle of a broken chunk."""

    def read(self, size: int = -1) -> bytes:
        raise RuntimeError("invalid chunk")

    readline = read


@pytest.mark.requirement("TK-7")
@pytest.mark.parametrize("path", ["/token", "/register", "/revoke", "/introspect", "/sign-in"])
def test_a_body_that_breaks_off_is_a_bad_request(site, path):
    kind = "application/json" if path == "/register" else "application/x-www-form-urlencoded"
    broken = {"wsgi.input": Broken(), "wsgi.input_terminated": True}
    answer = site.app.test_client().post(path, content_type=kind, environ_overrides=broken)
    assert answer.status_code == 400


def test_the_reason_stays_inside():
    with pytest.raises(BadRequest, match="the body is malformed"):
        Body(Broken()).readline()


@pytest.mark.requirement("DI-3", "AZ-10")
@pytest.mark.parametrize("claimed", ["/x", "//evil.example"])
def test_a_claimed_script_name_moves_nothing(site, claimed):
    answer = site.app.test_client().get("/admin", environ_overrides={"SCRIPT_NAME": claimed})
    assert answer.location.startswith("/sign-in?next=/admin")


def address(forwarded: str, *, connection: str = "10.0.0.9", hops: int = 1) -> str:
    """From where a request came for whoever answers it."""
    seen: list[str] = []

    def pages(environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
        seen.append(environ["REMOTE_ADDR"])
        start_response("204 No Content", [])
        return []

    front = Front(pages, Backchannel({}, {}), NEVER, issuer="https://auth.example", trusted_proxies=hops)
    environ = create_environ("/", headers={"X-Forwarded-For": forwarded} if forwarded else {})
    run_wsgi_app(front, {**environ, "REMOTE_ADDR": connection})
    return seen[0]


@pytest.mark.requirement("AZ-12")
@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7:51234", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("[::ffff:192.0.2.7]:443", "192.0.2.7"),
        ("[2001:DB8::7]:443", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("2001:db8:0:0::7", "2001:db8::7"),
        ("unknown", ""),
        ("_hidden", ""),
        ("1.2.3.4.5:80", ""),
    ],
)
def test_an_address_has_one_spelling_however_a_proxy_writes_it(written: str, meant: str):
    assert address(f"203.0.113.1, {written}") == meant
    assert address("", connection=written, hops=0) == meant


@pytest.mark.parametrize("forwarded", ["", "192.0.2.7"])
def test_whoever_comes_past_a_proxy_comes_from_nowhere_known(forwarded: str):
    assert address(forwarded, hops=2) == "", "rules about the office's network would fit the proxy's own address"
