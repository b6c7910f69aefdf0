"""A person with a second factor, and what they do at sign-in."""

import re
from typing import cast

import pyotp
from flask.sessions import SecureCookieSessionInterface
from sqlalchemy import update

from authserver.protocol import credential
from authserver.protocol.audit import Event
from authserver.protocol.role import Role
from authserver.store.audit import AuditFilter
from authserver.store.models import FactorRow
from tests.conformance.site import PASSWORD, Site
from tests.conformance.visitor import Visitor, forms

FACTORS = "/account/security/factors"


class Person:
    """Somebody with an account of this test's own, at a browser."""

    def __init__(self, site: Site, role: Role = Role.MEMBER) -> None:
        self.site, self.secret = site, ""
        self.name = f"bo-{credential.identifier()[:8].lower()}"
        hashed = site.deployment.sign_in.passwords.hash(PASSWORD)
        self.user = site.deployment.stores.users.add(self.name, "Bo", hashed, role, Event("user.added", "system"))
        self.browser = self.elsewhere()

    def elsewhere(self) -> Visitor:
        return Visitor(self.site, self.name)

    def sent(self, page, **filled):
        """*page* after its last form was sent with what is *filled* in."""
        return self.browser.submit(page, [form for form in forms(page) if "credential" not in form.names()][-1], filled)

    def code(self) -> str:
        """A code that was not used yet: half a minute passes in no time here."""
        passed = update(FactorRow).where(FactorRow.user_id == self.user.id).values(counter=0)
        with self.site.deployment.stores.database.transaction() as connection:
            connection.execute(passed)
        return pyotp.TOTP(self.secret).now()

    def add_app(self):
        page = self.browser.open(f"{FACTORS}/app")
        page = self.sent(page, name="My phone")
        (shown,) = re.findall(r'<code class="secret">([A-Z2-7 ]+)</code>', page.text)
        self.secret = shown.replace(" ", "")
        return self.sent(page, code=pyotp.TOTP(self.secret).now())

    def recovery_codes(self) -> list[str]:
        page = self.sent(self.browser.open(f"{FACTORS}/recovery-codes"))
        return re.findall(r'<code class="secret">([a-z2-7-]{29})</code>', page.text)

    def events(self, name: str):
        return self.site.deployment.stores.audit.page(AuditFilter(name=name, user_id=self.user.id), None, 20).lines

    def session(self, browser: Visitor | None = None):
        http = (browser or self.browser).http
        signed = cast(SecureCookieSessionInterface, self.site.app.session_interface)
        secret = signed.get_signing_serializer(self.site.app).loads(http.get_cookie("session").value)["_user_id"]
        return self.site.deployment.sessions.find(secret)


def half_way(person: Person) -> Visitor:
    """A browser in which *person* has given the password."""
    found = person.elsewhere()
    assert "One more step" in found.open("/sign-in").text
    return found


def answer(browser: Visitor, code: str):
    page = browser.http.get("/sign-in/second")
    return browser.submit(page, next(form for form in forms(page) if "code" in form.names()), {"code": code})
