"""What ends it that a browser stays signed in, and who sees and ends it."""

import pytest

from tests.conformance.site import PASSWORD, Site
from tests.conformance.visitor import Visitor

from .kim import CHOSEN, EVENT, fill, is_signed_in, now, press
from .stayer import PAGE, close, copied, events, kept, sign_in_to_stay


@pytest.fixture
def site(mailing: Site, kim) -> Site:
    return mailing


@pytest.fixture
def browser(site: Site) -> Visitor:
    return sign_in_to_stay(site)


def sign_out(site, browser):
    press(browser, "/sign-out")


def change_password(site, browser):
    page = browser.http.get("/account/password")
    fill(browser, page, password=PASSWORD, new_password=CHOSEN, repeated=CHOSEN)


def end_all_others(site, browser):
    press(browser, "/account/sessions/end")


def end_it_elsewhere(site, browser):
    other = Visitor(site, "kim")
    other.open(PAGE)
    (line,) = (line for line in site.deployment.stores.sessions.of_user(now(site).id, 9) if line.remembered)
    press(other, f"/account/session/end?id={line.id}")


def end_it_while_closed(site, browser):
    site.deployment.stores.sessions.end(site.deployment.stores.sessions.of_user(now(site).id, 9)[0].digest, EVENT)


def an_administrator_ends_all(site, browser):
    site.deployment.stores.sessions.end_all(now(site).id, EVENT)


def disable(site, browser):
    site.deployment.stores.users.set_disabled(now(site).id, True, EVENT)
    site.deployment.stores.users.set_disabled(now(site).id, False, EVENT)


def remove_factors(site, browser):
    site.deployment.stores.factors.remove_all(now(site).id, EVENT)


def sign_in_without_the_tick(site, browser):
    fill(browser, _sign_in_page(browser), username="kim", password=PASSWORD)


def _sign_in_page(browser: Visitor):
    token, session = browser.http.get_cookie("stays"), browser.http.get_cookie("session")
    browser.http.delete_cookie("session")
    browser.http.delete_cookie("stays")
    page = browser.http.get("/sign-in")
    assert session
    browser.http.set_cookie("stays", token.value)
    return page


@pytest.mark.parametrize(
    "ended",
    [
        sign_out,
        change_password,
        end_all_others,
        end_it_elsewhere,
        end_it_while_closed,
        an_administrator_ends_all,
        disable,
        remove_factors,
        sign_in_without_the_tick,
    ],
)
def test_a_browser_stays_no_longer_after(site, browser, ended):
    token = kept(browser)
    ended(site, browser)
    close(browser)
    assert not is_signed_in(browser)
    assert not is_signed_in(copied(site, token))
    assert events(site, "session.copied") == 0


def test_the_page_shows_a_browser_that_stays_though_it_is_closed_and_ends_it(site, browser):
    assert "Stays signed in until (UTC)" in browser.http.get(PAGE).text
    with site.deployment.stores.database.transaction() as connection:
        connection.exec_driver_sql("UPDATE sessions SET ended_at = created_at")
    other = Visitor(site, "kim")
    page = other.open(PAGE)
    assert "not open now" in page.text
    (line,) = site.deployment.stores.remembered.of_user(now(site).id, 9)
    press(other, f"/account/session/end?id={line.id}")
    assert "not open now" not in other.http.get(PAGE).text
    assert not is_signed_in(browser)
    assert events(site, "browser.forgotten") == 1


def test_a_stranger_does_not_end_somebody_elses_browser(site, browser):
    (line,) = site.deployment.stores.remembered.of_user(now(site).id, 9)
    ada = Visitor(site)
    ada.open(PAGE)
    assert ada.http.get(f"/account/session/end?id={line.id}").status_code == 404
    close(browser)
    assert is_signed_in(browser)


def test_an_administrator_sees_and_ends_browsers_that_stay_though_they_are_closed(site, browser):
    with site.deployment.stores.database.transaction() as connection:
        connection.exec_driver_sql("UPDATE sessions SET ended_at = created_at")
    root = Visitor(site, "root")
    page = root.open(f"/admin/person?id={now(site).id}")
    assert "1 browser stays signed in" in page.text
    assert "signed out of 1 browser" in root.open(f"/admin/sessions/end?id={now(site).id}").text
    press(root, f"/admin/sessions/end?id={now(site).id}")
    assert not is_signed_in(browser)
