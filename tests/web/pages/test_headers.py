"""Headers of every page, and what they leave open on purpose."""

import re

import pytest

from tests.conformance.visitor import Visitor

from .conftest import HOSTED

PAGES = ["/", "/sign-in", "/signed-out", "/nothing-here", "/authorize", "/admin", "/static/site.css"]
SCRIPTS = {"/sign-in": ['<script src="/static/passkeys.js" defer>']}


def policy(answer) -> dict[str, str]:
    directives = answer.headers["Content-Security-Policy"].split(";")
    return dict(directive.strip().split(" ", 1) for directive in directives if directive.strip())


@pytest.mark.requirement("AZ-10")
@pytest.mark.parametrize("path", PAGES)
def test_a_page_runs_no_script_and_is_framed_by_nobody(site, path):
    answer = site.get(path, buffered=True)
    found = policy(answer)
    assert found["default-src"] == "'none'"
    assert found["style-src"] == found["img-src"] == found["font-src"] == "'self'"
    assert found["frame-ancestors"] == found["base-uri"] == "'none'"
    assert "script-src" not in found or path == "/sign-in"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"


@pytest.mark.requirement("AZ-10")
def test_a_page_that_asks_for_passkeys_runs_scripts_of_this_server_and_no_others(site):
    assert policy(site.get("/sign-in"))["script-src"] == "'self'"


@pytest.mark.requirement("AZ-11")
def test_pages_whose_form_may_end_at_a_client_do_not_limit_where_forms_go(site, hosted, visitor):
    consent = visitor.open(hosted.url(redirect_uri=HOSTED))
    for page in (consent, site.get("/sign-in"), site.get("/authorize")):
        assert "form-action" not in policy(page)


@pytest.mark.requirement("AZ-10", "AZ-11")
def test_other_pages_let_forms_go_to_this_server_only(admin):
    assert policy(admin.open("/admin"))["form-action"] == "'self'"


@pytest.mark.requirement("AZ-10")
def test_pages_are_not_kept_by_caches_and_the_styles_are(site):
    assert site.get("/sign-in").headers["Cache-Control"] == "no-store"
    assert "max-age" in site.get("/static/site.css", buffered=True).headers["Cache-Control"]


@pytest.mark.requirement("AZ-10")
def test_an_https_issuer_asks_browsers_to_stay_with_https(site, site_with):
    secure = Visitor(site_with(issuer="https://auth.example")).open("/")
    assert "max-age=31536000" in secure.headers["Strict-Transport-Security"]
    assert "Strict-Transport-Security" not in site.get("/").headers


@pytest.mark.requirement("DI-7")
@pytest.mark.parametrize("path", PAGES)
def test_no_other_site_may_read_a_page(site, path):
    for answer in (
        site.get(path, headers={"Origin": "https://evil.example"}, buffered=True),
        site.app.test_client().options(path, headers={"Origin": "https://evil.example"}),
    ):
        assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]


@pytest.mark.requirement("AZ-10")
def test_pages_hold_no_inline_script_or_style(site, flow, visitor, admin):
    flow.register()
    for page in (visitor.open(flow.url()), site.get("/sign-in"), site.get("/authorize"), admin.open("/admin/audit")):
        assert re.findall("<script[^>]*>", page.text) == SCRIPTS.get(page.request.path, [])
        assert "<style" not in page.text
        assert " style=" not in page.text
        assert " onclick=" not in page.text


@pytest.mark.requirement("AZ-14")
def test_the_first_request_of_a_client_gives_the_browser_a_device_cookie_of_256_bits_for_400_days(flow, visitor):
    flow.register()
    answer = visitor.http.get(flow.url())
    (line,) = (line for line in answer.headers.getlist("Set-Cookie") if line.startswith("device="))
    value = line.split(";")[0].removeprefix("device=")
    assert len(value) == 43
    assert "Max-Age=34560000" in line
    assert "HttpOnly" in line
    assert "SameSite=Lax" in line
    again = visitor.http.get(flow.url())
    assert f"device={value};" in "".join(again.headers.getlist("Set-Cookie"))


@pytest.mark.requirement("AZ-14")
@pytest.mark.parametrize("brought", ["", "short", "x" * 44, "a b", "\u00e9" * 43])
def test_a_device_cookie_that_is_none_of_ours_is_replaced(flow, visitor, brought):
    flow.register()
    visitor.http.set_cookie("device", brought)
    answer = visitor.http.get(flow.url())
    (line,) = (line for line in answer.headers.getlist("Set-Cookie") if line.startswith("device="))
    assert len(line.split(";")[0].removeprefix("device=")) == 43
