"""Kim, at a browser that stays signed in, and what may happen to it."""

from sqlalchemy import update
from werkzeug.test import TestResponse

from authserver.store.audit import AuditFilter
from authserver.store.models import RememberedRow, SessionRow
from tests.conformance.site import PASSWORD, Site
from tests.conformance.visitor import Visitor

from .kim import fill, now

PAGE = "/account/security"


def sign_in_to_stay(site: Site) -> Visitor:
    """A browser in which Kim signs in with the tick."""
    browser = Visitor(site, "kim")
    tick(browser)
    return browser


def tick(browser: Visitor) -> TestResponse:
    """Sign in with the tick."""
    page = browser.http.get("/sign-in")
    return fill(browser, page, username=browser.username, password=PASSWORD, stays="yes")


def kept(browser: Visitor) -> str | None:
    """What the browser keeps to stay signed in."""
    found = browser.http.get_cookie("stays")
    return found.value if found else None


def close(browser: Visitor) -> None:
    """Close the browser: what lives as long as it runs is forgotten."""
    browser.http.delete_cookie("session")


def copied(site: Site, token: str | None) -> Visitor:
    """Another browser that has *token*."""
    found = Visitor(site, "kim")
    found.http.set_cookie("stays", token or "")
    return found


def pass_seconds(site: Site, seconds: int) -> None:
    """As if so many seconds had passed."""
    with site.deployment.stores.database.transaction() as connection:
        past = {name: getattr(RememberedRow, name) - seconds for name in ("auth_time", "used_at", "expires_at")}
        connection.execute(update(RememberedRow).values(**past))
        connection.execute(update(SessionRow).values(auth_time=SessionRow.auth_time - seconds))


def events(site: Site, name: str) -> int:
    """How many events of that name Kim has."""
    return len(site.deployment.stores.audit.page(AuditFilter(name=name, user_id=now(site).id), None, 50).lines)


def sessions(site: Site) -> int:
    """How many live sessions Kim has."""
    return len(site.deployment.stores.sessions.of_user(now(site).id, 50))
