"""Stolen cookies and new secrets: what a copy of a session's cookie is worth once something has happened."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import update

from authserver.protocol.role import Role
from authserver.store.audit import AuditFilter
from authserver.store.models import SessionRow
from tests.conformance.site import PASSWORD, Site
from tests.conformance.visitor import Visitor, forms

from .factor_owner import FACTORS, Person
from .kim import CHOSEN, EVENT, fill, is_signed_in, press

pytestmark = pytest.mark.requirement("AZ-10")


@pytest.fixture
def person(site: Site) -> Person:
    """Bo, signed in."""
    found = Person(site)
    found.browser.open("/account/security")
    return found


def copy(person: Person) -> Visitor:
    """A thief's browser, with a copy of the cookie as it is now."""
    thief = person.elsewhere()
    thief.http.set_cookie("session", person.browser.http.get_cookie("session").value)
    assert is_signed_in(thief)
    return thief


def let_pass(person: Person, seconds: int) -> None:
    row = update(SessionRow).where(SessionRow.user_id == person.user.id)
    with person.site.deployment.stores.database.transaction() as connection:
        connection.execute(row.values(auth_time=SessionRow.auth_time - seconds))


def give_role(person: Person, role: Role, seen: Role = Role.MEMBER) -> None:
    assert person.site.deployment.stores.users.set_role(person.user.id, role, seen, EVENT)


def prove_again(person: Person) -> None:
    page = person.browser.http.get("/sign-in/again")
    fill(person.browser, page, password=PASSWORD)


def add_an_app(person: Person) -> None:
    person.add_app()


def change_password(person: Person) -> None:
    page = person.browser.http.get("/account/password")
    fill(person.browser, page, password=PASSWORD, new_password=CHOSEN, repeated=CHOSEN)


def sign_all_others_out(person: Person) -> None:
    press(person.browser, "/account/sessions/end")


def have_another_role(person: Person) -> None:
    give_role(person, Role.SUPPORT)


@pytest.mark.parametrize("act", [prove_again, add_an_app, change_password, sign_all_others_out, have_another_role])
def test_a_stolen_cookie_is_dead_after_it_and_the_person_goes_on(person: Person, act):
    thief = copy(person)
    act(person)
    assert is_signed_in(person.browser)
    assert not is_signed_in(thief)
    assert is_signed_in(person.browser)


def sign_out(person: Person) -> None:
    press(person.browser, "/sign-out")


def be_signed_out_by_an_administrator(person: Person) -> None:
    person.site.deployment.stores.sessions.end_all(person.user.id, EVENT)


def be_disabled(person: Person) -> None:
    person.site.deployment.stores.users.set_disabled(person.user.id, True, EVENT)


@pytest.mark.parametrize("act", [sign_out, be_signed_out_by_an_administrator, be_disabled])
def test_a_stolen_cookie_is_dead_after_it(person: Person, act):
    thief = copy(person)
    act(person)
    assert not is_signed_in(thief)
    assert not is_signed_in(person.browser)


def test_whoever_comes_first_with_a_secret_from_before_the_role_leaves_the_other_none(person: Person):
    thief = copy(person)
    give_role(person, Role.SUPPORT)
    assert is_signed_in(thief)
    assert not is_signed_in(person.browser), "they notice, and what they do then ends what the thief has"
    fill(person.browser, person.browser.http.get("/sign-in"), username=person.name, password=PASSWORD)
    sign_all_others_out(person)
    assert not is_signed_in(thief)


def test_a_new_role_counts_in_the_form_that_was_open_already(person: Person):
    page = person.browser.http.get("/account/sessions/end")
    give_role(person, Role.SUPPORT)
    answer = person.browser.submit(page, forms(page)[-1], {})
    assert answer.request.path == "/account/security"


def test_a_role_that_is_taken_away_renews_too(person: Person):
    give_role(person, Role.SUPPORT)
    assert is_signed_in(person.browser)
    thief = copy(person)
    give_role(person, Role.MEMBER, Role.SUPPORT)
    assert is_signed_in(person.browser)
    assert not is_signed_in(thief)
    events = person.site.deployment.stores.audit.page(
        AuditFilter(name="session.renewed", user_id=person.user.id), None, 9
    )
    assert len(events.lines) == 2


def test_who_signs_all_others_out_has_proved_nothing_by_it(person: Person):
    page = person.browser.http.get("/account/sessions/end")
    let_pass(person, 590)
    person.browser.submit(page, forms(page)[-1], {})
    let_pass(person, 20)
    assert person.browser.http.get(FACTORS + "/app").location.startswith("/sign-in/again")


@pytest.mark.parametrize("path", ["/account/sessions/end", "/account/session/end?id=00"])
def test_ending_sessions_takes_a_proof_of_late(person: Person, path: str):
    let_pass(person, 601)
    assert person.browser.http.get(path).location.startswith("/sign-in/again")


def test_whoever_changes_factors_is_offered_to_sign_all_others_out(person: Person):
    assert 'href="/account/sessions/end"' in person.browser.open(FACTORS).text


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/account/security", "/account/password", "/account/email", "/account/connections", "/account/activity"),
        *(FACTORS, f"{FACTORS}/app", "/sign-in/again", "/admin", "/admin/people", "/admin/audit"),
    ],
)
def test_each_page_of_who_is_signed_in_has_the_button_to_sign_out(admin: Visitor, path: str):
    admin.open("/sign-in")
    page = admin.http.get(path)
    assert page.status_code == 200
    assert any(form.action == "/sign-out" for form in forms(page))


def test_many_requests_of_one_session_at_one_instant_are_all_answered(person: Person):
    cookie, start = person.browser.http.get_cookie("session").value, Barrier(8)

    def ask(number: int) -> int:
        browser = person.elsewhere()
        browser.http.set_cookie("session", cookie)
        start.wait(60)
        return browser.http.get("/account/security").status_code

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(ask, range(8))) == {200}


def test_of_many_requests_at_the_instant_of_a_new_role_one_has_the_new_secret(person: Person):
    cookie, start = person.browser.http.get_cookie("session").value, Barrier(8)
    give_role(person, Role.SUPPORT)

    def ask(number: int) -> int:
        browser = person.elsewhere()
        browser.http.set_cookie("session", cookie)
        start.wait(60)
        return browser.http.get("/account/security").status_code

    with ThreadPoolExecutor(8) as threads:
        seen = sorted(threads.map(ask, range(8)))
    assert seen == [200, *[303] * 7]


def test_a_planted_cookie_of_somebody_else_does_not_become_ones_own(person: Person, site: Site):
    planted = person.browser.http.get_cookie("session").value
    victim = Visitor(site)
    victim.http.set_cookie("session", planted)
    page = victim.http.get("/sign-out")
    victim.submit(page, forms(page)[-1], {})
    victim.open("/account/security")
    assert victim.http.get_cookie("session").value != planted
    assert not is_signed_in(person.browser), "the session that was planted has ended"
