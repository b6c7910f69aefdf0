"""Whoever has a second factor gives it after a provider, too, unless the provider asks for two."""

import re
import time
from collections.abc import Callable
from typing import Any, cast

import pyotp
import pytest
from flask.sessions import SecureCookieSessionInterface
from sqlalchemy import update
from werkzeug.test import Client, TestResponse

from authserver.store.audit import AuditFilter
from authserver.store.models import FactorRow, SessionRow
from authserver.store.sessions import Session
from tests.conformance.site import Site
from tests.conformance.visitor import forms
from tests.web.pages.factor_owner import FACTORS

from .journey import begin, is_signed_in
from .liar import Liar

SECOND = "/sign-in/second"


class Kim:
    """Somebody from the provider, without a password here, and with an authenticator app."""

    def __init__(self, site: Site, liar: Liar) -> None:
        self.site, self.liar, self.http = site, liar, site.http()
        assert self.arrive().location == "/"
        self.send(f"{FACTORS}/app", name="Phone")
        page = self.http.get(f"{FACTORS}/app/code").text
        (shown,) = re.findall(r'<code class="secret">([A-Z2-7 ]+)</code>', page)
        self.secret = shown.replace(" ", "")
        assert self.send(f"{FACTORS}/app/code", code=self.code()).status_code == 303

    def arrive(self, http: Client | None = None, page: str = "/sign-in", **claims: Any) -> TestResponse:
        """Sign in at the provider, and come back."""
        journey = begin(http or self.http, self.liar, page)
        self.liar.gives(self.liar.sign(journey.claims(**claims)))
        return journey.back()

    def send(self, page: str, http: Client | None = None, **filled: str) -> TestResponse:
        """Send the form of *page* that has these fields."""
        browser = http or self.http
        form = next(each for each in forms(browser.get(page)) if set(filled) <= each.names())
        return browser.post(page, data={**dict(form.fields), **filled})

    def code(self) -> str:
        """A code that was not used yet: half a minute passes in no time here."""
        with self.site.deployment.stores.database.transaction() as connection:
            connection.execute(update(FactorRow).values(counter=0))
        return pyotp.TOTP(self.secret).now()

    def session(self, http: Client) -> Session | None:
        signed = cast(SecureCookieSessionInterface, self.site.app.session_interface)
        cookie = http.get_cookie("session")
        assert cookie
        secret = signed.get_signing_serializer(self.site.app).loads(cookie.value)["_user_id"]
        return self.site.deployment.sessions.find(secret)


@pytest.fixture
def kim(site: Site, false: Liar) -> Kim:
    return Kim(site, false)


def test_the_code_is_owed_after_the_provider_and_both_are_told(kim: Kim):
    browser = kim.site.http()
    assert kim.arrive(browser).location == f"{SECOND}?next=/"
    assert not is_signed_in(browser)
    assert kim.send(SECOND, browser, code="000000").status_code == 400
    assert not is_signed_in(browser)
    assert kim.send(f"{SECOND}?next=/account/connections", browser, code=kim.code()).location == "/account/connections"
    session = kim.session(browser)
    assert session
    assert session.methods == ("fed", "otp", "mfa")


def test_a_sign_in_is_as_old_as_it_is_at_the_provider_whenever_the_code_was_given(kim: Kim):
    browser = kim.site.http()
    kim.arrive(browser, auth_time=int(time.time()) - 3600)
    kim.send(SECOND, browser, code=kim.code())
    session = kim.session(browser)
    assert session
    assert 3590 <= session.auth_age <= 3700


def test_nobody_from_a_provider_that_asks_for_two_owes_one_here(site_of: Callable[..., Site], false: Liar):
    kim = Kim(site_of(two_factors=True), false)
    browser = kim.site.http()
    assert kim.arrive(browser).location == "/"
    session = kim.session(browser)
    assert session
    assert session.methods == ("fed", "mfa")


def test_before_a_dangerous_act_the_provider_and_the_code_are_asked_again(kim: Kim):
    with kim.site.deployment.stores.database.transaction() as connection:
        connection.execute(update(SessionRow).values(auth_time=SessionRow.auth_time - 3600))
    act = "/account/email"
    again = kim.http.get(act).location
    assert again == f"/sign-in/again?next={act}"
    page = kim.http.get(again).text
    assert 'name="password"' not in page, "they have none"
    answer = kim.arrive(page=again, auth_time=int(time.time()))
    assert answer.location == f"{SECOND}?next={act}"
    assert kim.send(answer.location, code=kim.code()).location == act
    assert kim.http.get(act).status_code == 200


def test_who_proves_again_there_and_here_keeps_the_session_and_who_breaks_off_too(kim: Kim):
    user = kim.site.deployment.stores.identities.find(kim.liar.issuer, "s-1")
    assert user
    act, stores = "/account/email", kim.site.deployment.stores
    with stores.database.transaction() as connection:
        connection.execute(update(SessionRow).values(auth_time=SessionRow.auth_time - 3600))
    before = kim.session(kim.http)
    assert (
        kim.arrive(page=kim.http.get(act).location, auth_time=int(time.time()) - 30).location == f"{SECOND}?next={act}"
    )
    assert kim.send(SECOND, code="000000").status_code == 400
    meanwhile = kim.session(kim.http)
    assert before
    assert meanwhile
    assert meanwhile.digest == before.digest, "half of it proves nothing"
    assert kim.http.get(act).location.startswith("/sign-in/again")
    assert kim.send(f"{SECOND}?next={act}", code=kim.code()).location == act
    after = kim.session(kim.http)
    assert after
    assert (after.methods, after.expires_at) == (("fed", "otp", "mfa"), before.expires_at)
    assert 30 <= after.auth_age < 300
    assert not stores.audit.page(AuditFilter(name="session.ended", user_id=user.id), None, 9).lines
    assert len(stores.sessions.of_user(user.id, 9)) == 1
    assert kim.http.get(SECOND).location == "/sign-in", "it is used up"
