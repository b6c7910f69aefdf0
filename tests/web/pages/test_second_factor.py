"""Signing in with a second factor: a code of an app, or a recovery code."""

import time

import pyotp
import pytest
import time_machine
from sqlalchemy import update

from authserver.protocol.amr import Method
from authserver.protocol.audit import Event
from authserver.store.models import HalfSignInRow, ThrottleRow
from tests.conformance.site import PASSWORD, Site
from tests.conformance.visitor import forms
from tests.web.pages.factor_owner import FACTORS, Person, answer, half_way
from tests.web.pages.test_consent_page import words


@pytest.fixture
def person(site: Site) -> Person:
    return Person(site)


def test_who_added_an_app_is_asked_for_its_code_and_signed_in_by_both(person: Person):
    assert "Ten codes" in person.add_app().text
    browser = half_way(person)
    assert "You are signed in" not in browser.http.get("/").text
    page = answer(browser, person.code())
    assert "You are signed in as Bo" in words(page)
    assert person.session(browser).methods == (Method.PASSWORD, Method.ONE_TIME, Method.MULTIPLE)
    (opened, _) = person.events("session.opened")
    assert opened.event.detail == {"methods": ["pwd", "otp", "mfa"]}


def test_the_session_in_which_it_was_added_has_used_it(person: Person):
    person.add_app()
    assert Method.MULTIPLE in person.session().methods
    assert person.browser.http.get("/account/connections").status_code == 200


def test_a_code_opens_once(person: Person):
    person.add_app()
    code = person.code()
    assert "You are signed in" in answer(half_way(person), code).text
    page = answer(half_way(person), code)
    assert page.status_code == 400
    assert "not a code that opens this now" in page.text


@pytest.mark.parametrize("wrong", ["", "000000", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "x" * 5000, "nul\0"])
def test_a_wrong_code_opens_nothing(person: Person, wrong: str):
    person.add_app()
    if wrong == person.code():
        wrong = "111111"
    browser = half_way(person)
    assert answer(browser, wrong).status_code == 400
    assert "You are signed in" not in browser.http.get("/").text
    (failed,) = person.events("sign_in.failed")
    assert failed.event.detail == {"factor": "totp"}


@pytest.mark.requirement("AZ-12")
def test_wrong_codes_are_delayed_and_then_not_even_the_right_one_opens(site_with):
    person = Person(site_with(failed_sign_in_delay=60))
    person.add_app()
    browser = half_way(person)
    assert [answer(browser, "000000").status_code for _ in range(5)] == [400, 400, 400, 400, 429]
    page = answer(browser, person.code())
    assert page.status_code == 429
    assert "Retry-After" in page.headers
    with person.site.deployment.stores.database.transaction() as connection:
        connection.execute(update(ThrottleRow).values(blocked_until=0))
    assert "You are signed in" in answer(browser, person.code()).text


def test_a_code_may_be_typed_in_two_groups_and_half_a_minute_late(person: Person):
    person.add_app()
    person.code()
    with time_machine.travel(time.time(), tick=False):
        late = pyotp.TOTP(person.secret).at(time.time() - 30)
        assert "You are signed in" in answer(half_way(person), f"{late[:3]} {late[3:]}").text


def test_a_recovery_code_opens_once_and_says_how_many_are_left(person: Person):
    person.add_app()
    first, second, *_ = person.recovery_codes()
    assert "You are signed in" in answer(half_way(person), first.upper().replace("-", " ")).text
    assert answer(half_way(person), first).status_code == 400
    assert "You have 9 left" in person.browser.http.get(FACTORS).text
    assert person.events("recovery_code.used")
    person.recovery_codes()
    assert answer(half_way(person), second).status_code == 400


def test_a_recovery_code_opens_nobody_elses_account(person: Person, site: Site):
    other = Person(site)
    for one in (person, other):
        one.add_app()
    (code, *_) = other.recovery_codes()
    assert answer(half_way(person), code).status_code == 400
    assert "You are signed in" in answer(half_way(other), code).text


def test_half_a_sign_in_ends_after_ten_minutes(person: Person):
    person.add_app()
    browser = half_way(person)
    with person.site.deployment.stores.database.transaction() as connection:
        connection.execute(update(HalfSignInRow).values(expires_at=HalfSignInRow.expires_at - 600))
    assert browser.http.get("/sign-in/second?next=/admin").location == "/sign-in?next=/admin"
    assert "You are signed in" not in browser.http.get("/").text


def test_half_a_sign_in_ends_with_an_end_to_all_sessions(person: Person):
    person.add_app()
    browser, stores = half_way(person), person.site.deployment.stores
    stores.sessions.end_all(person.user.id, Event("sessions.ended", "system"))
    assert browser.http.get("/sign-in/second").location == "/sign-in"


def test_half_a_sign_in_serves_once_in_however_many_tabs(person: Person):
    person.add_app()
    browser = half_way(person)
    page = browser.http.get("/sign-in/second")
    stolen = browser.http.get_cookie("session").value
    assert "You are signed in" in answer(browser, person.code()).text
    copy = person.site.http()
    copy.set_cookie("session", stolen)
    again = dict(forms(page)[0].fields)
    assert copy.post("/sign-in/second", data={**again, "code": person.code()}).location == "/sign-in"


def test_nobody_comes_to_the_second_step_without_the_first(site: Site):
    http = site.http()
    assert http.get("/sign-in/second").location == "/sign-in"
    token = dict(forms(http.get("/sign-in"))[0].fields)["csrf_token"]
    assert http.post("/sign-in/second", data={"csrf_token": token, "code": "123456"}).location == "/sign-in"


@pytest.mark.requirement("AZ-10")
def test_after_both_steps_one_goes_on_to_the_page_that_asked(person: Person):
    person.add_app()
    browser = person.elsewhere()
    page = browser.open("/account/calls")
    assert page.request.path == "/sign-in/second"
    done = browser.submit(page, forms(page)[-1], {"code": person.code()})
    assert done.request.path == "/account/calls"


def test_a_session_from_before_owes_the_factor_that_was_added_elsewhere(person: Person):
    before = person.elsewhere()
    before.open("/sign-in")
    person.add_app()
    page = before.open("/account/connections")
    assert page.request.path == "/sign-in/again"
    page = before.submit(page, forms(page)[-1], {"password": PASSWORD, "code": person.code()})
    assert page.request.path == "/account/connections"
