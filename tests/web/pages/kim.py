"""Kim, who has an account with a password and a confirmed address, and what people do on the pages about that."""

from werkzeug.test import TestResponse

from authserver.protocol.audit import Event, Origin
from authserver.store.user import User
from tests.conformance.site import Site
from tests.conformance.visitor import Visitor, forms

EVENT = Event("test.done", "system")
CHOSEN = "quiet otters paint fences"
ADDRESS = "kim@example.com"
NEW = "kim@new.example"
ELSEWHERE = Origin("192.0.2.9")


def fill(browser: Visitor, page: TestResponse, **filled: str) -> TestResponse:
    """Send the page's own form, not that of its bar."""
    form = next(form for form in forms(page) if set(filled) <= form.names())
    return browser.submit(page, form, filled)


def press(browser: Visitor, path: str) -> TestResponse:
    """Open the question at *path*, and say yes."""
    page = browser.open(path)
    return browser.submit(page, forms(page)[-1], {})


def choose(browser: Visitor, page: TestResponse, password: str = CHOSEN, **more: str) -> TestResponse:
    """Send the page's form with a new password."""
    return fill(browser, page, new_password=password, repeated=password, **more)


def forget(site: Site, email: str) -> TestResponse:
    """Say that the password behind *email* is forgotten."""
    stranger = Visitor(site)
    return fill(stranger, stranger.http.get("/account/forgotten"), email=email)


def signs_in(site: Site, password: str, username: str = "kim") -> bool:
    """Whether *password* opens."""
    browser = Visitor(site, username)
    page = browser.http.get("/sign-in")
    return "Sign out" in fill(browser, page, username=username, password=password).text


def is_signed_in(browser: Visitor) -> bool:
    """Whether that browser's session lives."""
    return browser.http.get("/account/security").status_code == 200


def now(site: Site) -> User:
    """Kim as they are kept now."""
    return site.deployment.stores.users.by_name("kim")
