"""A person's own pages about second factors: adding, listing, removing; and who must have one."""

import re

import pyotp
import pytest
from sqlalchemy import update

from authserver.protocol.audit import Event
from authserver.protocol.role import Role
from authserver.store.factors import Kind, NewFactor
from authserver.store.models import SessionRow, UserRow
from tests.conformance.site import PASSWORD, Site
from tests.conformance.visitor import Visitor, forms
from tests.web.pages.factor_owner import FACTORS, Person

EVENT = Event("test.done", "system")


@pytest.fixture
def person(site: Site) -> Person:
    return Person(site)


def test_the_wrong_first_code_adds_nothing(person: Person):
    page = person.sent(person.browser.open(f"{FACTORS}/app"))
    page = person.sent(page, code="000000")
    assert page.status_code == 400
    assert "not the code that the app shows now" in page.text
    assert "You are signed in" in person.elsewhere().open("/sign-in").text


def test_the_picture_is_there_while_the_app_is_being_added_and_for_nobody_else(person: Person, site: Site):
    person.browser.open("/sign-in")
    assert person.browser.http.get(f"{FACTORS}/app/picture.svg").status_code == 404
    assert person.browser.http.get(f"{FACTORS}/app/code").location == f"{FACTORS}/app"
    person.sent(person.browser.open(f"{FACTORS}/app"))
    picture = person.browser.http.get(f"{FACTORS}/app/picture.svg")
    assert picture.mimetype == "image/svg+xml"
    assert picture.headers["Cache-Control"] == "no-store"
    assert picture.text.startswith("<svg")
    assert site.get(f"{FACTORS}/app/picture.svg").status_code == 303
    person.add_app()
    assert person.browser.http.get(f"{FACTORS}/app/picture.svg").status_code == 404


@pytest.mark.requirement("TK-6")
def test_the_database_holds_neither_the_secret_nor_the_codes(person: Person):
    person.add_app()
    codes = person.recovery_codes()
    assert len(set(codes)) == 10
    with person.site.deployment.stores.database.reading() as connection:
        for table in ("factors", "recovery_codes", "audit_events"):
            rows = str(connection.exec_driver_sql(f"SELECT * FROM {table}").all())  # noqa: S608 - of our own
            assert person.secret not in rows
            assert not any(code in rows or code.replace("-", "") in rows for code in codes)


def test_adding_and_removing_take_a_proof_of_late_with_the_factor(person: Person):
    person.add_app()
    person.recovery_codes()
    with person.site.deployment.stores.database.transaction() as connection:
        old = update(SessionRow).where(SessionRow.user_id == person.user.id)
        connection.execute(old.values(auth_time=SessionRow.auth_time - 601))
    for path in ("/app", "/app/code", "/passkey", "/remove?id=x", "/recovery-codes"):
        assert person.browser.http.get(FACTORS + path).location.startswith("/sign-in/again?next=")
    page = person.browser.open(f"{FACTORS}/app")
    wrong = person.sent(page, password=PASSWORD, code="000000")
    assert wrong.status_code == 400
    assert person.sent(wrong, password=PASSWORD, code=person.code()).request.path == f"{FACTORS}/app"


def test_without_the_last_factor_the_password_is_enough_and_recovery_codes_are_gone(person: Person):
    person.add_app()
    person.recovery_codes()
    page = person.browser.http.get(FACTORS)
    (remove,) = re.findall(r'href="([^"]*/remove[^"]*)"', page.text)
    question = person.browser.open(remove)
    assert "It is your last one" in question.text
    assert "You have none yet" in person.sent(question).text
    assert "You are signed in" in person.elsewhere().open("/sign-in").text
    assert person.site.deployment.stores.recovery_codes.left(person.user.id) == 0
    assert person.events("factor.removed")


def test_the_only_way_into_an_account_is_not_removed(person: Person):
    stores = person.site.deployment.stores
    person.browser.open(FACTORS)
    stores.factors.add(person.user.id, NewFactor(Kind.PASSKEY, "Key", b"key", credential_id=b"only"), EVENT)
    with stores.database.transaction() as connection:
        connection.execute(update(UserRow).where(UserRow.id == person.user.id).values(password_hash=""))
        proved = update(SessionRow).where(SessionRow.user_id == person.user.id)
        connection.execute(proved.values(methods="pop mfa"))
    (passkey,) = stores.factors.of_user(person.user.id)
    refused = person.sent(person.browser.open(f"{FACTORS}/remove?id={passkey.id}"))
    assert refused.status_code == 409
    assert "It is the only way into your account" in refused.text
    assert stores.factors.of_user(person.user.id) == (passkey,)


def test_nobody_removes_what_is_anothers(person: Person, site: Site):
    other = Person(site)
    for one in (person, other):
        one.add_app()
    (theirs,) = site.deployment.stores.factors.of_user(other.user.id)
    assert person.browser.http.get(f"{FACTORS}/remove?id={theirs.id}").status_code == 404
    page = person.browser.http.get(f"{FACTORS}/app")
    token = dict(forms(page)[-1].fields)["csrf_token"]
    person.browser.http.post(f"{FACTORS}/remove?id={theirs.id}", data={"csrf_token": token})
    assert site.deployment.stores.factors.of_user(other.user.id) == (theirs,)


def test_a_name_that_tries_to_be_more_is_only_a_name(person: Person):
    page = person.sent(person.browser.open(f"{FACTORS}/app"), name='<script>\u202e"' + "x" * 300)
    (shown,) = re.findall(r'<code class="secret">([A-Z2-7 ]+)</code>', page.text)
    person.sent(page, code=pyotp.TOTP(shown.replace(" ", "")).now())
    listed = person.browser.http.get(FACTORS).text
    assert "<script>" not in listed
    assert "\u202e" not in listed


def test_where_factors_are_off_nobody_is_asked_and_there_are_no_pages(site_with):
    person = Person(site_with(second_factor="off"))
    assert "data-ask" not in person.browser.http.get("/sign-in").text
    person.browser.open("/sign-in")
    for path in ("", "/app", "/app/code", "/app/picture.svg", "/passkey", "/recovery-codes", "/remove?id=x"):
        assert person.browser.http.get(FACTORS + path).status_code == 404


@pytest.mark.parametrize(
    ("rule", "role", "needed"),
    [
        ("optional", Role.OWNER, False),
        ("admins", Role.MEMBER, False),
        ("admins", Role.SUPPORT, True),
        ("all", Role.MEMBER, True),
    ],
)
def test_who_must_have_one_adds_it_before_anything_else(site_with, rule: str, role: Role, needed: bool):
    person = Person(site_with(second_factor=rule), role)
    page = person.browser.open("/account/connections")
    assert ("You need one to go on" in page.text) is needed
    if needed:
        add = next(each for each in re.findall(r'href="([^"]+)"', page.text) if "/factors/app" in each)
        page = person.sent(person.browser.open(add))
        (shown,) = re.findall(r'<code class="secret">([A-Z2-7 ]+)</code>', page.text)
        page = person.sent(page, code=pyotp.TOTP(shown.replace(" ", "")).now())
        page = person.sent(page)
        assert 'href="/account/connections">I have kept them' in page.text
        assert person.browser.http.get("/account/connections").status_code == 200


def test_an_administrator_removes_what_somebody_has_lost(person: Person, admin: Visitor):
    person.add_app()
    person.recovery_codes()
    question = admin.open(f"/admin/person/factors?id={person.user.id}")
    assert "My phone" in question.text
    admin.submit(question, forms(question)[-1], {})
    assert "You are signed in" in person.elsewhere().open("/sign-in").text
    (removed,) = person.events("factors.removed")
    assert removed.event.detail == {"factors": 1}
    assert removed.event.actor != f"user:{person.user.id}"
