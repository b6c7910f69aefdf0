"""Some requests want more of a sign-in than others: by ``max_age`` and ``acr_values``, or because they can destroy."""

import jwt
import pytest
from sqlalchemy import update

from authserver.store.models import SessionRow
from tests.conformance.flow import Flow
from tests.conformance.site import PASSWORD, Site
from tests.conformance.visitor import Visitor, forms
from tests.web.pages.conftest import HOSTED
from tests.web.pages.factor_owner import Person

MFA, PHR = "https://refeds.org/profile/mfa", "phr"
READ, DELETE = "notes:read", "notes:read notes:write notes:delete"


def age(site: Site, seconds: int) -> None:
    """Let *seconds* pass since everybody's sign-in."""
    with site.deployment.stores.database.transaction() as connection:
        connection.execute(update(SessionRow).values(auth_time=SessionRow.auth_time - seconds))


def again(browser: Visitor, url: str, **filled: str):
    """Where the proof once more, which *url* takes first, leads to."""
    page = browser.http.get(url, follow_redirects=True)
    assert page.request.path == "/sign-in/again"
    return browser.submit(page, forms(page)[-1], {"password": PASSWORD, **filled})


@pytest.fixture
def person(site: Site) -> Person:
    return Person(site)


@pytest.fixture
def asking(flow: Flow) -> Flow:
    flow.register()
    return flow


def test_what_can_destroy_is_decided_on_after_a_sign_in_of_late(site: Site, person: Person, asking: Flow):
    person.browser.open("/sign-in")
    age(site, 601)
    assert person.browser.http.get(asking.url(scope=READ)).status_code == 200
    assert "asks to use" in again(person.browser, asking.url(scope=DELETE)).text


def test_a_page_that_lay_open_too_long_allows_nothing_that_can_destroy(site: Site, person: Person, asking: Flow):
    page = person.browser.open(asking.url(scope=DELETE))
    age(site, 601)
    consent = next(form for form in forms(page) if "decision" in form.names())
    answer = person.browser.submit(page, consent, {"decision": "allow", "scope": ["notes:read", "notes:delete"]})
    assert answer.request.path == "/sign-in/again"
    assert site.deployment.stores.grants.for_user(person.user.id) == ()


@pytest.mark.requirement("AZ-9")
def test_what_can_destroy_is_not_given_to_another_browser_unseen_with_an_old_sign_in(
    site: Site, person: Person, hosted: Flow
):
    asked = hosted.url(redirect_uri=HOSTED, scope=DELETE)
    hosted.answer(person.browser.decide(asked))
    other = person.elsewhere()
    other.open("/sign-in")
    age(site, 601)
    assert other.http.get(asked).location.startswith("/sign-in/again")
    assert hosted.answer(other.http.get(f"{asked}&prompt=none"))["error"] == "login_required"
    assert len(site.deployment.stores.grants.for_user(person.user.id)) == 1
    assert "code" in hosted.answer(person.browser.http.get(asked)), "where it stands already"
    assert "code" in hosted.answer(again(other, asked)), "and as soon as they prove who they are, unseen"


def test_who_has_a_factor_gives_it_for_what_can_destroy(site: Site, person: Person, asking: Flow):
    person.add_app()
    age(site, 601)
    page = again(person.browser, asking.url(scope=DELETE), code="000000")
    assert page.status_code == 400
    page = person.browser.submit(page, forms(page)[-1], {"password": PASSWORD, "code": person.code()})
    assert "asks to use" in page.text


@pytest.mark.requirement("AZ-6")
def test_a_request_may_say_how_old_the_sign_in_is_at_most(site: Site, person: Person, asking: Flow):
    person.browser.open("/sign-in")
    age(site, 120)
    assert person.browser.http.get(asking.url(max_age="300")).status_code == 200
    for most in ("100", "0"):
        age(site, 120)
        assert "asks to use" in again(person.browser, asking.url(max_age=most)).text


@pytest.mark.requirement("AZ-6")
def test_a_request_may_want_the_person_to_sign_in_again(site: Site, person: Person, asking: Flow):
    person.browser.open("/sign-in")
    assert person.browser.http.get(asking.url(prompt="login")).status_code == 200, "they have just done so"
    age(site, 120)
    assert "asks to use" in again(person.browser, asking.url(prompt="login consent")).text
    age(site, 120)
    assert person.browser.http.get(asking.url(prompt="consent")).status_code == 200


@pytest.mark.requirement("AZ-6")
@pytest.mark.parametrize("wish", [{"prompt": "login"}, {"max_age": "0"}])
def test_whoever_read_the_page_for_a_while_need_not_sign_in_again_to_decide(
    site: Site, person: Person, asking: Flow, wish: dict[str, str]
):
    def decide(seconds: int):
        age(site, seconds)
        consent = next(form for form in forms(page) if "decision" in form.names())
        return person.browser.submit(page, consent, {"decision": "allow", "scope": [READ]})

    page = person.browser.open(asking.url(**wish))
    assert "code" in asking.answer(decide(500))
    page = again(person.browser, asking.url(**wish))
    assert decide(601).request.path == "/sign-in/again"


@pytest.mark.requirement("AZ-6")
@pytest.mark.parametrize("wrong", ["none login", "consent none", "none none2"])
def test_no_page_and_another_wish_contradict_each_other(visitor: Visitor, asking: Flow, wrong: str):
    visitor.open("/sign-in")
    assert asking.answer(visitor.open(asking.url(prompt=wrong)))["error"] == "invalid_request"


@pytest.mark.requirement("AZ-6")
@pytest.mark.parametrize("wrong", ["-1", "soon", "1e3", "9999999999", "٣"])
def test_an_age_that_is_no_number_of_seconds_is_the_clients_error(visitor: Visitor, asking: Flow, wrong: str):
    visitor.open("/sign-in")
    assert asking.answer(visitor.open(asking.url(max_age=wrong)))["error"] == "invalid_request"


@pytest.mark.requirement("AZ-6")
def test_where_no_page_may_be_shown_too_old_or_too_weak_is_login_required(site: Site, person: Person, asking: Flow):
    person.add_app()
    age(site, 120)
    assert asking.answer(person.browser.open(asking.url(max_age="60", prompt="none")))["error"] == "login_required"
    before = person.elsewhere()
    with site.deployment.stores.database.transaction() as connection:
        connection.execute(update(SessionRow).where(SessionRow.user_id == person.user.id).values(methods="pwd"))
    assert asking.answer(person.browser.open(asking.url(prompt="none")))["error"] == "login_required"
    assert asking.answer(before.open(asking.url(prompt="none")))["error"] == "login_required"


def test_a_class_that_the_sign_in_has_is_enough_and_the_token_tells_it(person: Person, asking: Flow):
    person.add_app()
    asking.allow(person.browser, acr_values=f"{PHR} {MFA}")
    token = asking.token().json["access_token"]
    assert jwt.decode(token, options={"verify_signature": False})["acr"] == MFA


@pytest.mark.parametrize("wanted", [PHR, "urn:example:unheard-of", "x" * 900])
def test_a_class_that_the_person_cannot_reach_is_told_to_the_client(person: Person, asking: Flow, wanted: str):
    person.add_app()
    told = asking.answer(person.browser.open(asking.url(acr_values=wanted)))
    assert told["error"] == "unmet_authentication_requirements"


def test_who_has_no_factor_meets_no_class(person: Person, asking: Flow):
    person.browser.open("/sign-in")
    told = asking.answer(person.browser.open(asking.url(acr_values=MFA)))
    assert told["error"] == "unmet_authentication_requirements"
