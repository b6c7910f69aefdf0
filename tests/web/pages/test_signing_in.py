"""Sign-in and sign-out: sessions, cookies, and where one goes on to."""

import re
import secrets
from http.cookies import Morsel, SimpleCookie
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.protocol import credential
from authserver.protocol.audit import Origin
from authserver.web.next_page import is_own_page
from tests.conformance.site import PASSWORD, Site
from tests.conformance.visitor import Visitor, forms

SIGN_IN = "/sign-in"


def cookies(answer) -> dict[str, Morsel[str]]:
    found = SimpleCookie()
    for line in answer.headers.getlist("Set-Cookie"):
        found.load(line)
    return dict(found.items())


def attempt(http, password=PASSWORD, username="ada", query="", **headers):
    page = http.get(SIGN_IN + query)
    (form,) = (form for form in forms(page) if "password" in form.names())
    token = dict(form.fields)["csrf_token"]
    return http.post(
        SIGN_IN + query,
        data={"csrf_token": token, "username": username, "password": password},
        headers=headers,
    )


@pytest.fixture
def http(site: Site):
    """A browser at an address that has not failed yet."""
    found = site.app.test_client()
    found.environ_base["REMOTE_ADDR"] = f"2001:db8:{secrets.token_hex(2)}:{secrets.token_hex(2)}::1"
    return found


@pytest.mark.requirement("AZ-10")
def test_a_sign_in_is_answered_by_303_and_begins_a_session(http):
    answer = attempt(http)
    assert (answer.status_code, answer.location) == (303, "/")
    assert "You are signed in as" in http.get("/").text


@pytest.mark.requirement("AZ-10")
def test_the_session_cookie_of_an_http_issuer_is_for_this_host_and_no_script(http):
    cookie = cookies(attempt(http))["session"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    assert not cookie["secure"]
    assert not cookie["domain"]


@pytest.mark.requirement("AZ-10", "AZ-14")
def test_the_cookies_of_an_https_issuer_have_the_host_prefix_and_are_secure(site_with):
    site = site_with(issuer="https://auth.example")
    visitor = Visitor(site)
    page = visitor.open(SIGN_IN)
    assert "You are signed in" in page.text
    session = visitor.http.get_cookie("__Host-session", "auth.example")
    asked = visitor.http.get("/authorize?client_id=x", base_url="https://auth.example")
    device = cookies(asked)["__Host-device"]
    assert session is not None
    assert session.secure
    assert session.http_only
    assert session.path == "/"
    assert device["secure"]
    assert device["httponly"]
    assert not device["domain"]


@pytest.mark.requirement("AZ-10")
def test_an_https_form_without_a_referer_of_this_site_is_refused(site_with):
    site = site_with(issuer="https://auth.example")
    http = site.http()
    for headers in ({}, {"Referer": "https://evil.example/"}):
        token = dict(forms(http.get(SIGN_IN, base_url="https://auth.example"))[0].fields)["csrf_token"]
        answer = http.post(
            SIGN_IN,
            base_url="https://auth.example",
            data={"csrf_token": token, "username": "ada", "password": PASSWORD},
            headers=headers,
        )
        assert answer.status_code == 400
        assert "out of date" in answer.text


@pytest.mark.requirement("AZ-10")
def test_nothing_that_was_set_before_the_sign_in_survives_it(http):
    before = http.get(SIGN_IN)
    planted = http.get_cookie("session").value
    attempt(http)
    assert http.get_cookie("session").value != planted
    stale = dict(forms(before)[0].fields)["csrf_token"]
    answer = http.post("/sign-out", data={"csrf_token": stale})
    assert answer.status_code == 400
    assert "out of date" in answer.text


@pytest.mark.requirement("AZ-10")
def test_a_cookie_from_before_the_sign_in_opens_nothing_after_it(http, site):
    http.get(SIGN_IN)
    planted = http.get_cookie("session").value
    attempt(http)
    other = site.http()
    other.set_cookie("session", planted)
    assert "You are signed in" not in other.get("/").text


@pytest.mark.requirement("TK-6")
def test_the_database_knows_the_session_by_its_digest_only(http, site):
    attempt(http)
    cookie = http.get_cookie("session").value
    secret = site.app.session_interface.get_signing_serializer(site.app).loads(cookie)["_user_id"]
    assert secret.startswith("mcpw_")
    assert site.deployment.stores.sessions.find(credential.digest(secret)) is not None


@pytest.mark.requirement("AZ-10")
def test_a_session_that_an_administrator_ended_is_over_at_once(http, site):
    attempt(http)
    cookie = http.get_cookie("session").value
    secret = site.app.session_interface.get_signing_serializer(site.app).loads(cookie)["_user_id"]
    site.deployment.sessions.end(secret, Origin())
    assert "You are signed in" not in http.get("/").text


@pytest.mark.requirement("AZ-10")
def test_signing_out_ends_the_session_for_every_copy_of_the_cookie(http, site):
    attempt(http)
    stolen = http.get_cookie("session").value
    page = http.get("/sign-out")
    answer = http.post("/sign-out", data=dict(forms(page)[-1].fields))
    assert (answer.status_code, answer.location) == (303, "/signed-out")
    assert "You are signed out" in http.get("/signed-out").text
    other = site.http()
    other.set_cookie("session", stolen)
    assert "You are signed in" not in other.get("/").text


def test_signing_out_takes_a_post_with_a_token(http):
    attempt(http)
    assert http.get("/sign-out").status_code == 200
    assert http.post("/sign-out").status_code == 400
    assert "You are signed in" in http.get("/").text


def test_whoever_is_not_signed_in_is_told_so_at_sign_out(http):
    assert http.get("/sign-out").location == "/signed-out"


@pytest.mark.requirement("AZ-12")
def test_a_wrong_password_and_an_unknown_name_look_alike(http):
    def shape(answer):
        return answer.status_code, re.sub(r'(value|data-ask)="[^"]*"|[0-9A-Z]{5}-[0-9A-Z]{5}', "", answer.text)

    wrong, unknown = attempt(http, "wrong"), attempt(http, "wrong", username="nobody-at-all")
    assert shape(wrong) == shape(unknown)
    assert wrong.status_code == 400
    assert "do not go together" in wrong.text


@pytest.mark.requirement("AZ-12")
def test_too_many_attempts_are_answered_by_429_and_when_to_come_again(site_with):
    http = site_with(failed_sign_in_delay=60).http()
    attempt(http, "wrong")
    attempt(http, "wrong")
    answer = attempt(http)
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert "Too many attempts. Wait" in answer.text
    assert "You are signed in" not in http.get("/").text


@pytest.mark.requirement("AZ-12")
def test_the_ceiling_of_an_address_is_answered_by_429(site_with):
    http = site_with(sign_ins_per_address="2 per hour").http()
    assert [attempt(http, "wrong", username=f"n{n}").status_code for n in range(3)] == [400, 400, 429]


@pytest.mark.requirement("AZ-12")
def test_a_browser_that_has_signed_in_before_does_not_wait_for_what_strangers_fail_at(site_with):
    site = site_with(failed_sign_in_delay=60)
    known, stranger = site.http(), site.http()
    attempt(known)
    known.delete_cookie("session")
    for _ in range(2):
        attempt(stranger, "wrong")
    assert attempt(stranger).status_code == 429
    assert attempt(known).status_code == 303


def test_a_password_is_never_written_into_a_page(http):
    answer = attempt(http, "a-very-secret-password", username='"><script>')
    assert "a-very-secret-password" not in answer.text
    assert "<script>" not in answer.text


@pytest.mark.requirement("AZ-10")
def test_after_sign_in_one_goes_on_to_the_page_that_asked_for_it(http):
    answer = attempt(http, query="?next=/authorize?client_id=x%26state=y")
    assert (answer.status_code, answer.location) == (303, "/authorize?client_id=x&state=y")
    assert http.get("/sign-in?next=/admin/keys").location == "/admin/keys"


@pytest.mark.requirement("AZ-10")
@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example/",
        "/\\evil.example/",
        "\\\\evil.example/",
        "/%09/evil.example/",
        "/%0a/evil.example",
        "javascript:alert(1)",
        "evil.example",
        "%20/x",
        "/%00",
        "/\u3002evil",
        "",
    ],
)
def test_one_never_goes_on_to_another_site(http, elsewhere):
    assert attempt(http, query=f"?next={elsewhere}").location == "/"


@pytest.mark.requirement("AZ-10")
@given(st.text())
def test_no_text_is_taken_for_a_page_of_ours_that_leads_elsewhere(site, text):
    with site.app.test_request_context("/sign-in"):
        if is_own_page(text):
            parts = urlsplit(text)
            assert (parts.scheme, parts.netloc) == ("", "")
            assert text[0] == "/"
            assert text[1:2] not in {"/", "\\"}


@pytest.mark.requirement("AZ-10")
def test_an_issuer_with_a_path_sends_nobody_out_of_that_path(site_with):
    visitor = Visitor(site_with(issuer="http://localhost:9000/tenant1"))
    visitor.open("/tenant1/sign-in")
    assert visitor.http.get("/tenant1/sign-in?next=/other/admin").location == "/tenant1/"
    assert visitor.http.get("/tenant1/sign-in?next=/tenant1/admin").location == "/tenant1/admin"
    assert visitor.http.get("/tenant1/").text.count('href="/tenant1/static/') == 3


@pytest.mark.requirement("AZ-10", "AZ-13")
def test_a_stale_sign_in_form_is_shown_again_with_its_destination(http):
    answer = http.post("/sign-in?next=/admin", data={"csrf_token": "x", "username": "ada", "password": PASSWORD})
    assert answer.status_code == 400
    assert "out of date" in answer.text
    assert attempt(http, query="?next=/admin").location == "/admin"


def test_switching_the_account_on_a_consent_page_leads_to_a_sign_in_that_comes_back(flow, visitor):
    flow.register()
    page = visitor.open(flow.url())
    form = next(form for form in forms(page) if form.action == "/sign-out" and "next" in form.names())
    again = visitor.submit(page, form, {})
    assert "Password" in again.text
    assert again.request.path == SIGN_IN
    assert again.request.args["next"].startswith("/authorize?response_type=code&client_id=")
    login = next(form for form in forms(again) if "password" in form.names())
    page = visitor.submit(again, login, {"username": "root", "password": PASSWORD})
    assert "Root" in page.text
    assert "asks to use" in page.text
