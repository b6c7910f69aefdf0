"""Dangerous acts take the password again once the last one was some minutes ago."""

import pytest
from sqlalchemy import update

from authserver.protocol.role import Role
from authserver.store.audit import AuditFilter
from authserver.store.models import SessionRow
from tests.conformance.site import PASSWORD, Site
from tests.conformance.visitor import Visitor, forms
from tests.web.pages.conftest import As
from tests.web.pages.test_console import press
from tests.web.pages.test_roles import routes

DANGEROUS = {
    "/admin/approval/approve",
    "/admin/client/delete",
    "/admin/client/secret",
    "/admin/clients/group/delete",
    "/admin/domain",
    "/admin/emergency",
    "/admin/emergency/grants",
    "/admin/grants/revoke",
    "/admin/key/withdraw",
    "/admin/keys/rotate",
    "/admin/people/invite",
    "/admin/person/disable",
    "/admin/person/factors",
    "/admin/person/groups",
    "/admin/person/role",
    "/admin/policies/edit",
    "/admin/server/agree",
    "/admin/server/edit",
    "/admin/server/suspend",
}


TYPED = {"/admin/person/groups", "/admin/policies/edit", "/admin/server/agree", "/admin/server/edit"}


def age(site: Site, seconds: int) -> None:
    """Let *seconds* pass since everybody's last password."""
    with site.deployment.stores.database.transaction() as connection:
        connection.execute(update(SessionRow).values(auth_time=SessionRow.auth_time - seconds))


def test_exactly_the_dangerous_acts_ask_for_it_and_the_questions_before_them_too(site: Site, signed_in_as: As):
    browser = signed_in_as(Role.OWNER)
    age(site, 601)
    asked = set()
    for path, method in routes(site):
        answer = browser.http.open(
            f"{path}?id=x", method=method, data={"csrf_token": "x"} if method == "POST" else None
        )
        if method == "POST" and path in TYPED:
            assert answer.status_code in {403, 404}, "the form again, with what was typed"
        elif answer.status_code == 303:
            assert answer.location == f"/sign-in/again?next={path}?id=x"
            asked.add(path)
        else:
            assert path not in DANGEROUS, method
    assert asked == DANGEROUS


def test_the_right_password_leads_on_to_the_act_for_ten_minutes(site: Site, signed_in_as: As):
    browser = signed_in_as(Role.OWNER)
    age(site, 601)
    page = browser.http.get("/admin/keys/rotate", follow_redirects=True)
    assert "Your password again" in page.text
    question = browser.submit(page, forms(page)[-1], {"password": PASSWORD})
    assert (question.status_code, question.request.path) == (200, "/admin/keys/rotate")
    age(site, 590)
    assert browser.http.get("/admin/emergency").status_code == 200
    age(site, 20)
    assert browser.http.get("/admin/emergency").status_code == 303
    assert browser.http.get("/admin/people").status_code == 200
    user = site.deployment.stores.users.by_name("some-owner")
    assert site.deployment.stores.audit.page(AuditFilter(name="session.confirmed", user_id=user.id), None, 9).lines


def test_a_form_that_was_left_open_too_long_does_nothing(site: Site, signed_in_as: As):
    browser = signed_in_as(Role.OWNER)
    page = browser.open("/admin/keys/rotate")
    before = len(site.deployment.stores.keys.all())
    age(site, 601)
    answer = browser.submit(page, forms(page)[-1], {})
    assert "Your password again" in answer.text
    assert len(site.deployment.stores.keys.all()) == before


@pytest.mark.requirement("AZ-12")
def test_wrong_passwords_cost_what_they_cost_at_sign_in(site_with):
    site = site_with(failed_sign_in_delay=60)
    browser = Visitor(site, "root")
    browser.open("/sign-in")
    age(site, 601)
    page = browser.http.get("/admin/emergency", follow_redirects=True)
    seen = []
    for password in ("wrong", "wrong", "wrong", PASSWORD):
        answer = browser.submit(page, forms(page)[-1], {"password": password})
        seen.append(answer.status_code)
    assert seen == [400, 400, 429, 429], "while it is delayed, not even the right one opens"
    assert "Retry-After" in answer.headers
    assert browser.http.get("/admin/emergency").status_code == 303


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example", "admin"])
def test_it_leads_nowhere_else(site: Site, signed_in_as: As, target: str):
    browser = signed_in_as(Role.OWNER)
    page = browser.http.get("/sign-in/again", query_string={"next": target})
    answer = browser.submit(page, forms(page)[-1], {"password": PASSWORD})
    assert answer.request.path == "/"


def test_who_is_not_signed_in_signs_in_first(site: Site):
    for answer in (site.get("/sign-in/again"), site.post("/sign-in/again")):
        assert answer.status_code in {303, 400}
        assert answer.status_code == 400 or answer.location.startswith("/sign-in?next=/sign-in/again")


def test_a_session_elsewhere_is_not_made_fresh(site: Site, signed_in_as: As):
    here, elsewhere = signed_in_as(Role.OWNER), signed_in_as(Role.OWNER)
    age(site, 601)
    page = here.http.get("/admin/emergency", follow_redirects=True)
    here.submit(page, forms(page)[-1], {"password": PASSWORD})
    assert here.http.get("/admin/emergency").status_code == 200
    assert elsewhere.http.get("/admin/emergency").status_code == 303


def test_keys_are_rotated_in_the_console_in_the_name_of_who_did_it(site_with):
    site = site_with()
    browser = Visitor(site, "root")
    before = len(site.deployment.stores.keys.all())
    answer = press(browser, "/admin/keys/rotate")
    assert answer.request.path == "/admin/keys"
    assert len(site.deployment.stores.keys.all()) > before
    (line, *_) = site.deployment.stores.audit.page(AuditFilter(name="key.rotated"), None, 1)
    assert line.event.actor == f"user:{site.deployment.stores.users.by_name('root').id}"
    assert line.event.origin.correlation_id


def test_what_was_typed_is_still_there_when_the_password_is_too_old_by_then(site: Site, signed_in_as: As):
    browser = signed_in_as(Role.OWNER)
    page = browser.open("/admin/policies/edit")
    fields = dict(forms(page)[-1].fields)
    before = site.deployment.stores.policies.applied()
    age(site, 601)
    typed = {**fields, "rules": "version: 0\nrules: []\n# long thought about", "act": "apply"}
    answer = browser.http.post("/admin/policies/edit", data=typed)
    assert answer.status_code == 403
    assert "# long thought about" in answer.text
    assert "/sign-in/again?next=/admin/policies/edit" in answer.text
    assert site.deployment.stores.policies.applied() == before
    confirmed = browser.http.get("/sign-in/again?next=/admin/policies/edit")
    browser.submit(confirmed, forms(confirmed)[-1], {"password": PASSWORD})
    assert browser.http.post("/admin/policies/edit", data={**typed, "act": "look"}).status_code == 200
