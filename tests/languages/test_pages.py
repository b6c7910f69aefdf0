"""Each page that people see, opened by somebody who prefers German, shows none of our texts in English."""

from collections.abc import Iterator
from itertools import chain
from urllib.parse import urlsplit

import pytest
from werkzeug.test import TestResponse

from authserver.protocol.alert import AlertKind
from authserver.protocol.audit import Event
from authserver.protocol.role import Role
from authserver.store.alerts import Alert
from authserver.store.audit import AuditFilter
from authserver.web.own_words import WORDS
from tests.conformance.flow import LOOPBACK, PUBLIC, Flow
from tests.conformance.site import NOTES, PASSWORD
from tests.conformance.visitor import forms
from tests.languages.english import english
from tests.mailbox import Mailbox, settings
from tests.web.pages.factor_owner import Person
from tests.web.pages.test_connections import unneeded

EVENT = Event("test.done", "system")
HOSTED = "https://app.example/callback"
ADDRESS = "kim@example.com"
BLUEPRINTS = ("account.", "oauth.")
NO_PAGES = frozenset({"/account/security/factors/app/picture.svg"})
UPSTREAM = {"id": "corp", "name": "Corp", "issuer": "https://corp.example", "client_id": "x", "client_secret": "s"}


@pytest.fixture
def site(site_with, tmp_path):
    return site_with(**settings(tmp_path / "mail"), upstream=[{**UPSTREAM, "domains": ["corp.example"]}])


@pytest.fixture
def mailbox(site, tmp_path):
    return Mailbox(tmp_path / "mail", site.deployment)


def of_strangers(site, reader, mailbox) -> Iterator[TestResponse]:
    """What somebody sees who is not signed in."""
    stores, browser = site.deployment.stores, reader(site, "de", "bo")
    for path in ("/", "/sign-in", "/signed-out", "/sign-in/from/corp?state=x", "/nowhere"):
        yield browser.http.get(path)
    for path in ("/account/forgotten", "/account/forgotten/sent", "/account/reset", "/account/reset/done"):
        yield browser.http.get(path)
    page = browser.http.get("/sign-in")
    yield browser.submit(page, forms(page)[0], {"username": "ada", "password": "wrong"})
    yield browser.submit(page, forms(page)[1], {"upstream": "", "email": "a@nowhere.example"})
    yield browser.http.post("/sign-in", data={"username": "ada", "password": PASSWORD})
    hashed = site.deployment.sign_in.passwords.hash(PASSWORD)
    stores.users.add("kim", "Kim", hashed, Role.MEMBER, EVENT, email=ADDRESS, verified=True)
    page = browser.http.get("/account/forgotten")
    yield browser.submit(page, forms(page)[0], {"email": "no address"})
    browser.submit(page, forms(page)[0], {"email": ADDRESS})
    page = browser.open(mailbox.link(ADDRESS))
    yield page
    for chosen, repeated in (("short", "short"), (PASSWORD, "another"), ("aaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaa")):
        yield browser.submit(page, forms(page)[0], {"new_password": chosen, "repeated": repeated})
    assert site.deployment.invitations.invite("bo", "Bo", Role.MEMBER, "bo@example.com", EVENT) is None
    yield browser.open(mailbox.link("bo@example.com"))


def of_the_signed_in(site, reader, mailbox) -> Iterator[TestResponse]:
    """What somebody sees who has connected apps, and has no second factor."""
    stores, browser = site.deployment.stores, reader(site, "de")
    claims = unneeded(site, browser)
    claims["flow"].tokens(browser, scope="notes:read notes:write")
    ada = stores.users.by_name("ada").id
    alert = Alert(AlertKind.FIRST_DESTRUCTIVE_USE, NOTES.identifier, claims["client_id"], ada, tool="delete_note")
    stores.alerts.raise_new([alert], EVENT)
    (held,) = (one for one in site.deployment.connections.of(ada) if one.unused)
    (session, *_) = stores.sessions.of_user(ada, 9)
    for path in ("/", "/account/activity", "/account/connections", "/account/connections/end", "/account/calls"):
        yield browser.open(path)
    for name in ("connection/narrow", "connection/edit", "connection/end", "app/end", "calls"):
        yield browser.open(f"/account/{name}?id={held.grant.id}")
    yield browser.open(f"/account/session/end?id={session.id}")
    for path in ("email", "email/sent", "email/confirm", "password", "security", "sessions/end"):
        yield browser.open(f"/account/{path}")
    for path in ("", "/app", "/app/code", "/passkey"):
        yield browser.open(f"/account/security/factors{path}")
    for path in ("/account/security/providers", "/sign-in/again", "/sign-out"):
        yield browser.open(path)
    page = browser.open("/account/email")
    browser.submit(page, forms(page)[-1], {"email": "ada@example.com"})
    yield browser.open(mailbox.link("ada@example.com"))
    page = browser.open("/account/password")
    filled = {"new_password": PASSWORD * 2, "repeated": PASSWORD * 2}
    yield browser.submit(page, forms(page)[-1], {"password": "wrong", **filled})
    yield browser.submit(page, forms(page)[-1], {"password": PASSWORD, **filled, "csrf_token": "old"})


def of_whoever_has_a_second_factor(site, reader) -> Iterator[TestResponse]:
    """What somebody sees who has an authenticator app."""
    person = Person(site)
    person.browser = reader(site, "de", person.name)
    yield person.sent(person.browser.open("/account/security/factors/app"), name="")
    yield person.add_app()
    (factor,) = site.deployment.stores.factors.of_user(person.user.id)
    yield person.browser.open("/account/security/factors")
    yield person.browser.open("/account/security/factors/recovery-codes")
    yield person.sent(person.browser.open("/account/security/factors/recovery-codes"))
    yield person.browser.open(f"/account/security/factors/remove?id={factor.id}")
    yield person.browser.open("/sign-in/again")
    person.browser = reader(site, "de", person.name)
    page = person.browser.open("/sign-in")
    assert page.request.path == "/sign-in/second"
    yield page
    yield person.sent(page, code="000000")


def of_consent(site, reader) -> Iterator[TestResponse]:
    """What somebody sees whom an app asks."""
    browser, everything = reader(site, "de"), "notes:read notes:write notes:delete"
    for name, uris in (("Editor", [LOOPBACK]), ("Claude", [HOSTED]), ("Verified \u0421laude", [LOOPBACK])):
        flow = Flow(site)
        flow.register({**PUBLIC, "client_name": name, "redirect_uris": uris})
        page = browser.open(flow.url(redirect_uri=uris[0], scope=everything))
        yield page
        form = next(form for form in forms(page) if "decision" in form.names())
        for button in ("reading", "none", "allow"):
            yield browser.submit(page, form, {"decision": button})
        browser.accept(flow.url(redirect_uri=uris[0], scope="notes:read"))
        yield browser.open(flow.url(redirect_uri=uris[0], scope=everything))


def of_apps_that_are_not_let_in(site, reader) -> Iterator[TestResponse]:
    """What somebody sees whom an app sent here wrongly."""
    browser, flow = reader(site, "de"), Flow(site)
    flow.register({**PUBLIC, "redirect_uris": [HOSTED]})
    browser.open("/sign-in")
    yield browser.open(flow.url(redirect_uri="https://elsewhere.example/callback"))
    yield browser.open(flow.url(client_id="nobody"))
    yield browser.open("/authorize")
    yield reader(site, "de").http.get(flow.url(redirect_uri=HOSTED, code_challenge_method="plain"))
    site.deployment.stores.clients.set_suspended(flow.values["client_id"], suspended=True, event=EVENT)
    yield browser.open(flow.url())


def test_what_happened_with_an_account_has_words(site, reader, mailbox):
    done = (of_strangers(site, reader, mailbox), of_the_signed_in(site, reader, mailbox))
    assert all((*chain(*done), *of_whoever_has_a_second_factor(site, reader)))
    lines = site.deployment.stores.audit.page(AuditFilter(), None, 500).lines
    assert {line.event.name for line in lines if line.event.user_id} - {*WORDS, EVENT.name} == set()


@pytest.mark.parametrize(
    "page", ["<p>Sign in again with <bdi>x</bdi></p>", '<a aria-label="End this connection: x to y">']
)
def test_english_on_a_page_is_found(page):
    assert english(page)


def test_each_page_of_people_is_german_for_whoever_prefers_it(site, reader, mailbox):
    pages = [
        *of_strangers(site, reader, mailbox),
        *of_the_signed_in(site, reader, mailbox),
        *of_whoever_has_a_second_factor(site, reader),
        *of_consent(site, reader),
        *of_apps_that_are_not_let_in(site, reader),
    ]
    assert [page.status_code for page in pages if page.status_code >= 500] == []
    assert [page.request.path for page in pages if '<html lang="de"' not in page.text] == []
    assert {(page.request.path, text) for page in pages for text in english(page.text)} == set()
    seen = {urlsplit(page.request.path).path for page in pages}
    rules = [rule for rule in site.app.url_map.iter_rules() if rule.endpoint.startswith(BLUEPRINTS)]
    known = {rule.rule.replace("<upstream_id>", "corp") for rule in rules if "GET" in (rule.methods or ())}
    assert known - seen - NO_PAGES == set()
