"""Whatever a stranger sends: a 4xx in the protocol's form or a readable page, and nothing half-written."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from tests.conformance.flow import AUTHORIZE, LOOPBACK, REFRESH, TOKEN, Flow
from tests.conformance.site import Site
from tests.conformance.visitor import Visitor, forms

from .hostile import FORM, HEADERS, TYPES, Answer, Attempt, damaged, registrations, send

METHODS = st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "GETS"])
BACK_CHANNEL = (
    "/token", "/revoke", "/introspect", "/register", "/register/x", "/jwks", "/health/live",
    "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration",
)  # fmt: skip
PAGES = (
    "/", "/authorize", "/sign-in", "/sign-out", "/signed-out", "/admin", "/admin/clients", "/admin/client",
    "/admin/grants", "/admin/grant/revoke", "/admin/servers", "/admin/people", "/admin/keys", "/admin/audit",
    "/static/site.css", "/static/../settings.py", "/nothing", "//evil.example", "/\0", "/\ud800", "/%00",
)  # fmt: skip
TABLES = ("clients", "grants", "consents", "authorization_codes", "refresh_families", "refresh_tokens", "users")
thorough = settings(max_examples=150, suppress_health_check=list(HealthCheck))


def counted(site: Site) -> list[int]:
    """How many rows each table has."""
    counts = ", ".join(f"(SELECT count(*) FROM {table})" for table in TABLES)  # noqa: S608 - our own names
    with site.deployment.stores.database.reading() as connection:
        return list(connection.execute(text(f"SELECT {counts}")).one())


def check(site: Site, attempt: Attempt) -> Answer:
    """Send it, and hold the answer to what every answer owes."""
    before = counted(site)
    answer = send(site, attempt)
    assert answer.status < 500, answer
    location = answer.headers.get("Location", "/")
    assert leads_home(location) or location.startswith((LOOPBACK + "?", "cursor://")), location
    assert "evil.example" not in answer.headers.get("Access-Control-Allow-Origin", "")
    assert not [value for value in answer.headers.values() if "\r" in value or "\n" in value]
    if answer.status >= 400:
        assert counted(site) == before
        if attempt.method != "HEAD" and answer.status not in {404}:
            assert readable(answer), answer
    return answer


def leads_home(location: str) -> bool:
    return location.startswith("/") and not location.startswith(("//", "/\\"))


def readable(answer: Answer) -> bool:
    """Whether a program, or else a person, can read what went wrong."""
    kind = answer.headers["Content-Type"]
    if kind == "application/json":
        found = json.loads(answer.body)
        return set(found) >= {"error", "error_description"} and found["error"].isascii()
    return kind.startswith("text/html") and b"<h1" in answer.body and b"Traceback" not in answer.body


@pytest.fixture(scope="module")
def known(site: Site) -> Flow:
    """A registered client whose code and refresh token are still good."""
    flow = Flow(site)
    flow.tokens(Visitor(site))
    return flow


@pytest.fixture(scope="module")
def signed_in(site: Site) -> dict[str, str]:
    """The cookie of an administrator who is signed in, and the CSRF token of their pages."""
    visitor = Visitor(site, "root")
    page = visitor.open("/sign-in?next=/sign-out")
    token = dict(pair for form in forms(page) for pair in form.fields).get("csrf_token", "")
    cookies = [visitor.http.get_cookie(name) for name in ("session", "device")]
    return {"cookie": "; ".join(f"{found.key}={found.value}" for found in cookies if found), "csrf_token": token}


@pytest.mark.requirement("TK-7", "CR-1", "DI-3")
@thorough
@given(st.data())
def test_no_request_breaks_the_back_channel(site: Site, known: Flow, data: st.DataObject) -> None:
    valid = data.draw(st.sampled_from([TOKEN, REFRESH, {"token": "x", "client_id": "${client_id}"}]))
    form = data.draw(damaged(known.fill(valid)))
    attempt = Attempt(
        method=data.draw(st.just("POST") | METHODS),
        path=data.draw(st.sampled_from(BACK_CHANNEL)),
        query=data.draw(st.just(b"") | damaged({})),
        body=form,
        content_type=data.draw(st.just(FORM) | TYPES),
        headers=data.draw(HEADERS),
    )
    check(site, attempt)


@pytest.mark.requirement("CR-1", "CR-6", "CR-14")
@thorough
@given(body=registrations(), headers=HEADERS)
def test_no_registration_breaks_the_server_or_is_half_written(site: Site, body: bytes, headers: dict[str, str]) -> None:
    answer = check(site, Attempt("POST", "/register", b"", body, "application/json", headers))
    assert answer.status in {201, 400, 413}
    if answer.status == 201:
        made = json.loads(answer.body)
        path, token = f"/register/{made['client_id']}", made["registration_access_token"]
        again = send(site, Attempt("GET", path, headers={"Authorization": f"Bearer {token}"}))
        assert json.loads(again.body)["redirect_uris"] == made["redirect_uris"]


@pytest.mark.requirement("AZ-2", "AZ-10", "AZ-13")
@thorough
@given(st.data())
def test_no_request_breaks_a_page_or_leads_astray(
    site: Site, known: Flow, signed_in: dict[str, str], data: st.DataObject
) -> None:
    path = data.draw(st.just("/authorize") | st.sampled_from(PAGES))
    csrf = {"csrf_token": signed_in["csrf_token"]}
    honest = {"Cookie": signed_in["cookie"], "Referer": "http://localhost:9000/"}
    attempt = Attempt(
        method=data.draw(st.sampled_from(["GET", "POST"]) | METHODS),
        path=path,
        query=data.draw(damaged(known.fill(AUTHORIZE))),
        body=data.draw(damaged({**csrf, "decision": "allow", "scope": "notes:read", "shown": "x", "username": "u"})),
        content_type=data.draw(st.just(FORM) | TYPES),
        # Who signs out with a good form is signed out, and the examples after it would be a stranger's.
        headers=data.draw(HEADERS if path == "/sign-out" else st.just(honest) | HEADERS),
    )
    check(site, attempt)


@pytest.mark.requirement("AZ-13")
@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("query", [b"next=\x80", b"client_id=\xff\xfe&q=\x00", b"id=%ff&q=%00&after=%80"])
def test_a_query_that_is_no_utf8_is_no_accident(site: Site, signed_in: dict[str, str], path: str, query: bytes) -> None:
    for headers in ({}, {"Cookie": signed_in["cookie"]}):
        check(site, Attempt("GET", path, query, headers=headers))


@pytest.mark.requirement("AZ-2")
def test_only_a_registered_redirect_is_ever_followed(site: Site, known: Flow) -> None:
    for uri in ("https://evil.example", "http://127.0.0.1:5000/callback/..", f"{LOOPBACK}%0d%0aX:y", f"{LOOPBACK}#"):
        answer = site.get(known.url(redirect_uri=uri))
        assert answer.status_code == 400
        assert answer.location is None
