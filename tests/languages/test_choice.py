"""Which language a page is in: the one that the app asked for, else the one that the browser prefers, else English."""

import re

import pytest

from tests.conformance.flow import PUBLIC
from tests.conformance.visitor import forms

HTML = re.compile(r'<html lang="([^"]*)" dir="([^"]*)">')


def language(page):
    """The language that *page* says it is in, and its direction."""
    return HTML.search(page.text).groups()


@pytest.mark.parametrize(
    ("preferred", "chosen"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("en-GB,en;q=0.9,de;q=0.8", "en"),
        ("fr,de;q=0.5", "de"),
        ("fr,tlh", "en"),
        ("de;q=0", "en"),
        ("*", "en"),
        ("../../de,\u00e4,;;q=,de;q=nan", "en"),
    ],
)
def test_a_page_is_in_the_language_that_the_browser_prefers(site, reader, preferred, chosen):
    page = reader(site, preferred).open("/account/forgotten")
    assert language(page) == (chosen, "ltr")
    assert ("Zurück zur Anmeldung" in page.text) == (chosen == "de")


@pytest.mark.requirement("AZ-6")
@pytest.mark.parametrize(
    ("listed", "preferred", "chosen"),
    [
        ("de", "en", "de"),
        ("en", "de", "en"),
        ("fr-CA de en", "en", "de"),
        ("en de", "de", "en"),
        ("de en", "en", "de"),
        ("fr", "de", "de"),
        ("fr", "", "en"),
        ("fr", "de-AT, en;q=0.5", "de"),
        ("fr", "de;q=0, en;q=0.5", "en"),
        (" ".join(f"x{number}" for number in range(400)), "de", "de"),
        ("de\r\nSet-Cookie: x=1", "en", "de"),
        ("<script>", "en", "en"),
    ],
)
def test_the_languages_of_the_app_win_on_every_page_of_its_request(site, flow, reader, listed, preferred, chosen):
    flow.register()
    browser = reader(site, preferred)
    asked = flow.url(ui_locales=listed)
    sign_in = browser.http.get(asked, follow_redirects=True)
    consent = browser.open(asked)
    refused = browser.open(flow.url(ui_locales=listed, client_id="nobody"))
    assert "password" in forms(sign_in)[0].names()
    assert [language(page)[0] for page in (sign_in, consent, refused)] == [chosen] * 3


def test_a_wrong_password_is_told_in_the_language_of_the_app(site, flow, reader):
    flow.register()
    browser = reader(site, "en")
    page = browser.http.get(flow.url(ui_locales="de"), follow_redirects=True)
    again = browser.submit(page, forms(page)[0], {"username": "ada", "password": "wrong"})
    assert language(again)[0] == "de"
    assert "gehören nicht zusammen" in again.text


@pytest.mark.requirement("DI-4")
def test_apps_are_told_which_languages_there_are(site):
    assert site.get("/.well-known/oauth-authorization-server").json["ui_locales_supported"] == ["en", "de"]


def test_where_to_go_on_says_nothing_about_languages_if_it_is_elsewhere(site, reader):
    browser = reader(site, "en")
    page = browser.http.get("/sign-in?next=https://evil.example/?ui_locales=de")
    assert language(page)[0] == "en"


@pytest.mark.parametrize("preferred", ["en", "de"])
def test_a_form_that_is_too_large_is_refused_in_either_language(site, reader, preferred):
    browser = reader(site, preferred)
    answer = browser.http.post("/sign-in", data={"password": "x" * 1_000_000})
    assert answer.status_code == 413
    assert language(answer)[0] == preferred


def test_what_others_called_themselves_is_not_translated(site, flow, reader):
    flow.register({**PUBLIC, "client_name": "Sign in"})
    page = reader(site, "de").open(flow.url())
    assert re.search(r"<bdi>Sign in</bdi>", page.text)
