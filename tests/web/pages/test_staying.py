"""Browsers that stay signed in: closed and opened again, copied, and let go of."""

import pytest

from authserver.protocol.role import Role
from tests.conformance.flow import Flow
from tests.conformance.site import PASSWORD, Site
from tests.conformance.visitor import Visitor, forms

from .factor_owner import Person
from .kim import ADDRESS, fill, is_signed_in, now, press
from .stayer import PAGE, close, copied, events, kept, pass_seconds, sessions, sign_in_to_stay, tick

AN_HOUR = 3600


@pytest.fixture
def site(mailing: Site, kim) -> Site:
    return mailing


@pytest.fixture
def browser(site: Site) -> Visitor:
    return sign_in_to_stay(site)


def test_a_browser_that_stays_is_signed_in_after_it_was_closed(site, browser):
    close(browser)
    assert is_signed_in(browser)
    assert browser.http.get_cookie("session") is not None
    assert (events(site, "session.recalled"), sessions(site)) == (1, 1)


@pytest.mark.requirement("AZ-10")
def test_what_it_keeps_is_for_this_host_and_no_script_and_lasts_as_long_as_it_may_stay(site, browser):
    cookie = browser.http.get_cookie("stays")
    assert (cookie.http_only, cookie.same_site, cookie.path) == (True, "Lax", "/")
    assert cookie.max_age == site.deployment.settings.remember_me


def test_a_cookie_of_another_program_on_the_host_changes_nothing(site, browser):
    browser.http.set_cookie("remember_token", "another program's")
    close(browser)
    assert is_signed_in(browser)


@pytest.mark.requirement("AZ-10")
def test_under_https_it_is_tied_to_the_host(site_with):
    browser = Visitor(site_with(issuer="https://auth.example"))
    page = browser.http.get("/sign-in", base_url="https://auth.example")
    form = next(form for form in forms(page) if "password" in form.names())
    browser.submit(page, form, {"username": "ada", "password": PASSWORD, "stays": "yes"})
    cookie = browser.http.get_cookie("__Host-stays", "auth.example")
    assert (cookie.secure, cookie.http_only, cookie.path) == (True, True, "/")


def test_without_the_tick_a_browser_that_was_closed_has_to_sign_in(site):
    browser = Visitor(site, "kim")
    browser.open(PAGE)
    assert kept(browser) is None
    assert browser.http.get_cookie("session").max_age is None
    assert browser.http.get_cookie("session").expires is None
    close(browser)
    assert not is_signed_in(browser)


def test_where_no_browser_may_stay_there_is_no_tick_and_none_does(site_with):
    site = site_with(remember_me=0)
    browser = Visitor(site)
    page = browser.http.get("/sign-in")
    form = next(form for form in forms(page) if "password" in form.names())
    assert "stays" not in form.names()
    browser.submit(page, form, {"username": "ada", "password": PASSWORD, "stays": "yes"})
    assert kept(browser) is None


@pytest.mark.requirement("TK-6")
def test_the_database_keeps_digests_alone(site, browser):
    name, secret = kept(browser)[5:48], kept(browser)[48:]
    with site.deployment.stores.database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM remembered_browsers").all()
    assert len(rows) == 1
    assert name not in str(rows)
    assert secret not in str(rows)


def test_each_use_changes_what_it_keeps_and_ends_the_session_before(site, browser):
    stolen, before = browser.http.get_cookie("session").value, kept(browser)
    close(browser)
    assert is_signed_in(browser)
    assert kept(browser) != before
    other = Visitor(site, "kim")
    other.http.set_cookie("session", stolen)
    assert not is_signed_in(other)


def test_it_goes_on_from_token_to_token(site, browser):
    for _ in range(4):
        close(browser)
        assert is_signed_in(browser)
        pass_seconds(site, AN_HOUR)
    assert sessions(site) == 1


def test_a_copy_that_is_used_later_signs_the_browser_and_the_thief_out(site, mailbox, browser):
    thief = copied(site, kept(browser))
    close(browser)
    assert is_signed_in(browser)
    pass_seconds(site, AN_HOUR)
    assert not is_signed_in(thief)
    assert not is_signed_in(browser)
    assert (events(site, "session.copied"), sessions(site)) == (1, 0)
    assert "copied your sign-in" in mailbox.to(ADDRESS)[-1]["Subject"]


def test_a_thief_who_comes_first_loses_it_when_the_browser_comes_back(site, browser):
    thief = copied(site, kept(browser))
    close(browser)
    assert is_signed_in(thief)
    pass_seconds(site, AN_HOUR)
    assert not is_signed_in(browser)
    assert not is_signed_in(thief)
    close(thief)
    assert not is_signed_in(thief)


def test_a_thief_who_signs_out_before_the_browser_comes_back_is_told_of_once(site, mailbox, browser):
    token = kept(browser)
    thief = copied(site, token)
    close(browser)
    assert is_signed_in(thief)
    press(thief, "/sign-out")
    pass_seconds(site, AN_HOUR)
    assert not is_signed_in(browser)
    assert not is_signed_in(copied(site, token))
    assert events(site, "session.copied") == 1
    assert "copied your sign-in" in mailbox.to(ADDRESS)[-1]["Subject"]
    assert "/account/connections" in mailbox.to(ADDRESS)[-1].get_content()


def test_a_sign_in_with_a_browser_that_stayed_tells_it_once_what_to_keep(site, browser):
    close(browser)
    token = kept(browser)
    browser.http.delete_cookie("stays")
    page = browser.http.get("/sign-in")
    browser.http.set_cookie("stays", token)
    fields = {**dict(forms(page)[0].fields), "username": "kim", "password": PASSWORD, "stays": "yes"}
    answer = browser.http.post("/sign-in", data=fields)
    assert sum(line.startswith("stays=") for line in answer.headers.getlist("Set-Cookie")) == 1
    assert not is_signed_in(copied(site, token))
    close(browser)
    assert is_signed_in(browser)


def test_two_tabs_that_are_opened_at_one_instant_come_to_one_session(site, browser):
    tab = copied(site, kept(browser))
    close(browser)
    assert is_signed_in(browser)
    assert is_signed_in(tab)
    assert kept(tab) == kept(browser)
    assert (events(site, "session.copied"), sessions(site)) == (0, 1)
    pass_seconds(site, AN_HOUR)
    close(tab)
    assert is_signed_in(tab)


@pytest.mark.parametrize("wrong", ["", "x", "mcpk_", "mcpk_" + "x" * 86, "mcpk_" + "x" * 5000, "\ud800", "a b"])
def test_what_is_no_token_opens_nothing_and_is_forgotten(site, wrong):
    stranger = Visitor(site)
    headers = {"Cookie": f"stays={wrong}".encode("utf-8", "surrogatepass").decode("latin-1")}
    answer = stranger.http.get(PAGE, headers=headers)
    assert answer.status_code == 303
    assert answer.location.startswith("/sign-in?")


def test_a_guessed_secret_for_a_name_counts_as_a_copy(site, browser):
    assert not is_signed_in(copied(site, kept(browser)[:48] + "x" * 43))
    close(browser)
    assert not is_signed_in(browser)


def test_a_form_is_never_sent_by_a_session_that_it_would_open(site, browser):
    page = browser.http.get("/account/password")
    close(browser)
    answer = browser.http.post("/account/password", data=dict(forms(page)[-1].fields))
    assert answer.status_code in {303, 400}
    assert events(site, "session.recalled") == 0


def test_it_is_never_fresh_however_short_ago_the_sign_in_was(site, browser):
    assert browser.http.get("/account/email").status_code == 200
    close(browser)
    assert is_signed_in(browser)
    question = browser.http.get("/account/email")
    assert question.location.startswith("/sign-in/again")
    again = browser.http.get(question.location)
    assert fill(browser, again, password=PASSWORD).request.path == "/account/email"
    assert kept(browser)
    close(browser)
    assert is_signed_in(browser)


def test_what_can_destroy_and_dangerous_acts_of_the_console_ask_again(site):
    flow = Flow(site)
    flow.register()
    root = Visitor(site, "root")
    tick(root)
    destroying = flow.url(scope="notes:read notes:write notes:delete")
    for page in (destroying, "/admin/emergency"):
        assert root.http.get(page).status_code == 200
    close(root)
    for page in (destroying, "/admin/emergency"):
        answer = root.http.get(page)
        assert answer.location.startswith("/sign-in/again"), page
    assert root.http.get(flow.url(scope="notes:read")).status_code == 200


def test_its_session_has_the_time_and_the_methods_of_the_sign_in(site, browser):
    (before,) = _found(site)
    pass_seconds(site, AN_HOUR)
    close(browser)
    assert is_signed_in(browser)
    (after,) = _found(site)
    assert before.auth_time - AN_HOUR - after.auth_time in {0, 1}, "two statements may see two seconds"
    assert (after.methods, after.recalled) == (before.methods, True)


def test_its_sessions_end_with_it(site, browser):
    pass_seconds(site, site.deployment.settings.remember_me - AN_HOUR)
    close(browser)
    assert is_signed_in(browser)
    (found,) = _found(site)
    assert found.expires_at - found.auth_time <= site.deployment.settings.remember_me
    pass_seconds(site, AN_HOUR)
    close(browser)
    assert not is_signed_in(browser)


def _found(site: Site):
    stores = site.deployment.stores
    return [stores.sessions.find(line.digest) for line in stores.sessions.of_user(now(site).id, 9)]


def test_a_browser_stays_after_a_second_factor_too(site):
    person = Person(site, Role.MEMBER)
    person.add_app()
    browser = person.elsewhere()
    assert "One more step" in tick(browser).text
    assert kept(browser) is None
    page = browser.http.get("/sign-in/second")
    fill(browser, page, code=person.code())
    assert kept(browser)
    close(browser)
    assert is_signed_in(browser)
    assert "mfa" in person.session(browser).methods


def test_a_factor_that_was_added_since_is_owed(site, browser):
    person = Person(site, Role.MEMBER)
    tick(person.browser)
    other = person.elsewhere()
    person.browser, first = other, person.browser
    person.add_app()
    close(first)
    assert first.http.get(PAGE).location.startswith("/sign-in/again")


def test_somebody_disabled_opens_nothing(site, browser):
    with site.deployment.stores.database.transaction() as connection:
        connection.exec_driver_sql("UPDATE users SET disabled_at = 1 WHERE username = 'kim'")
    close(browser)
    assert not is_signed_in(browser)
