"""Nothing that a stranger sends makes a page fail, or leads anywhere."""

import json
from contextlib import ExitStack, suppress
from urllib.parse import quote, quote_from_bytes, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import TimeoutError as PoolTimeout

from tests.conformance.flow import PUBLIC, Flow
from tests.conformance.visitor import Visitor, forms
from tests.web.pages.conftest import HOSTED

PATHS = ["/", "/sign-in", "/sign-out", "/signed-out", "/authorize", "/admin", "/admin/clients", "/admin/client"]
CONSOLE = [
    "/admin",
    "/admin/clients",
    "/admin/client",
    "/admin/client/secret",
    "/admin/clients/alike",
    "/admin/clients/group",
    "/admin/grants",
    "/admin/grant",
    "/admin/grants/token",
    "/admin/grant/revoke",
    "/admin/grant/family/revoke",
    "/admin/people",
    "/admin/audit",
    "/admin/settings",
]
NAMES = [
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "resource",
    "prompt",
    "next",
    "q",
    "after",
    "id",
    "user",
    "name",
    "person",
    "client",
    "server",
    "show",
    "only",
]

pairs = st.lists(st.tuples(st.sampled_from(NAMES) | st.text(max_size=8), st.text(max_size=40)), max_size=8)
many = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def harmless(answer) -> bool:
    """A page, or a way on this server."""
    here = answer.location is None or answer.location.startswith(("/", "http://localhost:9000/"))
    return answer.status_code < 500 and here and not (answer.location or "").startswith("//")


@many
@given(st.sampled_from(PATHS), pairs)
def test_any_query_is_answered(site, path, query):
    encoded = urlencode([(name.encode("utf-8", "replace"), value.encode("utf-8", "replace")) for name, value in query])
    assert harmless(site.get(f"{path}?{encoded}"))


@many
@given(st.sampled_from(PATHS), st.binary(max_size=60))
def test_any_bytes_in_a_query_are_answered(site, path, query):
    assert harmless(site.get(f"{path}?client_id={quote_from_bytes(query)}"))
    raw = {"QUERY_STRING": query.decode("latin-1")}
    assert harmless(site.app.test_client().get(path, environ_overrides=raw))


@many
@given(
    st.sampled_from(PATHS),
    st.binary(max_size=200),
    st.sampled_from(["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json", ""]),
)
def test_any_body_is_answered(site, path, body, content_type):
    assert harmless(site.post(path, data=body, content_type=content_type))


@many
@given(st.text(max_size=60))
def test_any_path_is_answered(site, path):
    assert harmless(site.get("/" + quote(path.encode("utf-8", "replace")).lstrip("/")))


@many
@given(st.text(max_size=40), st.text(max_size=40))
def test_any_name_and_password_are_answered(patient, username, password):
    visitor = Visitor(patient)
    page = visitor.http.get("/sign-in")
    token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
    answer = visitor.http.post(
        "/sign-in",
        data={
            "csrf_token": token,
            "username": username.encode("utf-8", "replace"),
            "password": password.encode("utf-8", "replace"),
        },
    )
    assert answer.status_code in {400, 429}


@pytest.fixture
def patient(site_with):
    """A site that no number of failures delays."""
    return site_with(failed_sign_in_delay=0)


@many
@given(path=st.sampled_from(CONSOLE), query=pairs)
def test_any_query_of_the_console_is_answered(site, console, path, query):
    encoded = urlencode([(name.encode("utf-8", "replace"), value.encode("utf-8", "replace")) for name, value in query])
    assert harmless(console.http.get(f"{path}?{encoded}"))


@pytest.fixture(scope="module")
def console(site) -> Visitor:
    visitor = Visitor(site, "root")
    visitor.open("/sign-in")
    return visitor


@pytest.mark.parametrize("after", ["9" * 19 + ".x", "0" * 5000 + "1.x", "1.\0", "-1.x", "1", ".", "1.x", "²"])
@pytest.mark.parametrize("path", ["/admin/clients", "/admin/grants", "/admin/people", "/admin/audit"])
def test_any_place_in_a_list_is_answered(console, path, after):
    for others in ({}, {"scope": "x", "show": "live"}):
        assert console.http.get(path, query_string={"after": after, **others}).status_code == 200


@many
@given(st.lists(st.text(max_size=20), max_size=5), st.text(max_size=20), st.text(max_size=64))
def test_any_decision_is_answered(site, app_that_asks, person, scopes, decision, shown):
    page = person.open(app_that_asks.url())
    token = page.text.split('name="shown"')[0].rsplit('name="csrf_token" value="', 1)[1].split('"')[0]
    sent = [("csrf_token", token), ("decision", decision), ("shown", shown), *[("scope", scope) for scope in scopes]]
    encoded = urlencode([(name, value.encode("utf-8", "replace")) for name, value in sent])
    answer = person.http.post(app_that_asks.url(), data=encoded, content_type="application/x-www-form-urlencoded")
    assert answer.status_code in {303, 400, 409}
    assert "code=" not in (answer.location or "")


@pytest.fixture(scope="module")
def app_that_asks(site) -> Flow:
    found = Flow(site)
    found.register(PUBLIC)
    return found


@pytest.fixture(scope="module")
def person(site) -> Visitor:
    visitor = Visitor(site)
    visitor.open("/sign-in")
    return visitor


@pytest.mark.parametrize(("path", "most"), [("/sign-in", 65_536), ("/authorize", 524_288), ("/sign-out", 65_536)])
def test_a_body_over_the_bound_is_413(site, path, most):
    assert site.post(path, data={"x": "y" * most}).status_code == 413


@pytest.mark.requirement("AZ-13")
def test_the_form_of_a_decision_may_be_long(hosted: Flow, visitor: Visitor):
    page = visitor.open(hosted.url(redirect_uri=HOSTED))
    [consent] = [form for form in forms(page) if "decision" in form.names()]
    assert visitor.submit(page, consent, {"decision": "deny", "tool": "x" * 500_000}).status_code == 303


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_another_method_is_405_with_those_that_work(site, method):
    answer = site.app.test_client().open("/sign-in", method=method)
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    assert "does not work here" in answer.text


def test_a_forged_host_changes_nothing(site):
    answer = site.get("/admin", headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
    assert answer.location == "/sign-in?next=/admin"
    assert "evil" not in site.get("/", headers={"Host": "evil.example"}).text


def test_a_long_state_survives_the_way_through_sign_in_in_a_line_that_servers_take(site, flow, visitor):
    flow.register()
    state = json.dumps({"return to": ["a/b?c=d&e=f"] * 60})
    url = flow.url(state=state)
    assert len(site.get(url).location) < 8190 - len("GET  HTTP/1.1\r\n")
    assert flow.answer(visitor.decide(url))["state"] == state


def test_what_breaks_inside_is_a_page_without_a_word_of_it(site_with, capfd):
    site = site_with(log_level="ERROR")
    site.app.view_functions["account.door"] = lambda: 1 / 0
    answer = site.get("/")
    assert answer.status_code == 500
    assert "division" not in answer.text
    number = answer.text.split("Reference: <code>")[1].split("<")[0]
    logged = capfd.readouterr().err
    assert number in logged
    assert "ZeroDivisionError" in logged


def test_a_database_that_fails_at_who_is_signed_in_is_a_page_too(site_with):
    site = site_with()
    visitor = Visitor(site)
    visitor.open("/account/security")
    with site.deployment.stores.database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE sessions RENAME TO gone")
    for path in ("/sign-in", "/account/security", "/nothing"):
        page = visitor.http.get(path)
        assert page.status_code in {404, 500, 503}
        assert page.mimetype == "text/html"
        assert "<h1>" in page.text


@pytest.mark.parametrize("foreign", ["|\xff", "|\xc3\xa9", '"|\\303\\251"', "x", "x|y"])
@pytest.mark.parametrize("path", ["/", "/sign-in", "/authorize", "/account/reset", "/nothing"])
def test_a_cookie_that_others_call_so_is_not_looked_at(site, foreign, path):
    assert site.get(path, headers={"Cookie": f"remember_token={foreign}"}).status_code == site.get(path).status_code


def test_a_database_that_lacks_a_table_is_a_page_too(site_with):
    site = site_with()
    engine = site.deployment.stores.database.engine
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE clients RENAME TO gone")
    answer = site.get("/authorize?client_id=x&redirect_uri=y")
    assert answer.status_code in {500, 503}
    assert answer.mimetype == "text/html"


def test_a_server_without_a_free_connection_to_its_database_asks_to_come_again(site_with, monkeypatch):
    site = site_with()
    engine = site.deployment.stores.database.engine
    with ExitStack() as taken:
        monkeypatch.setattr(engine.pool, "_timeout", 0.01)
        with suppress(PoolTimeout):
            for _ in range(100):
                taken.enter_context(engine.connect())
        page = site.get("/authorize?client_id=x&redirect_uri=y")
        assert (page.status_code, page.mimetype, page.headers["Retry-After"]) == (503, "text/html", "1")
        form = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": "x"}
        answer = site.post("/token", data=form)
        assert (answer.status_code, answer.json["error"]) == (503, "temporarily_unavailable")
