"""People in the console: what is theirs is shown, ended and changed, and by nobody whose role does not reach so far."""

import re
import secrets

import pytest

from authserver.protocol.audit import Event
from authserver.protocol.role import Role
from authserver.store.audit import AuditFilter
from authserver.store.user import User
from tests.conformance.flow import Flow
from tests.conformance.site import PASSWORD, Site
from tests.conformance.visitor import Visitor, forms
from tests.web.pages.conftest import As
from tests.web.pages.test_consent_page import words
from tests.web.pages.test_console import press

EVENT = Event("test.done", "system")


@pytest.fixture
def bo(site: Site) -> User:
    """A person of the test's own."""
    hashed = site.deployment.sign_in.passwords.hash(PASSWORD)
    return site.deployment.stores.users.add(f"bo-{secrets.token_hex(4)}", "Bo", hashed, Role.MEMBER, EVENT)


def now(site: Site, person: User) -> User:
    found = site.deployment.stores.users.find(person.id)
    assert found is not None
    return found


def test_a_persons_page_shows_sessions_grants_and_what_happened(site: Site, flow: Flow, admin: Visitor, bo: User):
    flow.register()
    browser = Visitor(site, bo.username)
    flow.tokens(browser)
    browser.http.get("/sign-in", headers={"User-Agent": "x"})
    (link,) = re.findall(r'href="(/admin/person[^"]+)"[^>]*><bdi>Bo', admin.open(f"/admin/people?q={bo.username}").text)
    said = words(admin.open(link))
    for fact in (bo.username, "Role member", "can sign in", "127.0.0.1", "http://localhost:9001/mcp", "session.opened"):
        assert fact in said
    assert "Werkzeug" in said, "the browser that signed in"


@pytest.mark.requirement("TK-6")
def test_whoever_leaves_loses_sessions_refresh_tokens_and_the_way_in_at_once(
    site: Site, flow: Flow, admin: Visitor, bo: User
):
    flow.register()
    browser = Visitor(site, bo.username)
    flow.tokens(browser)
    question = admin.open(f"/admin/person/disable?id={bo.id}")
    assert "Sessions 1 end Live grants 1 end" in words(question)
    assert flow.refresh().status_code == 200, "a question changes nothing"
    assert "cannot sign in, and holds nothing" in press(admin, f"/admin/person/disable?id={bo.id}").text
    assert flow.refresh().json["error"] == "invalid_grant"
    assert browser.http.get("/account/connections").location.startswith("/sign-in")
    assert "do not go together" in Visitor(site, bo.username).open("/sign-in").text
    (line,) = site.deployment.stores.audit.page(AuditFilter(name="user.disabled", user_id=bo.id), None, 9)
    assert line.event.actor == f"user:{site.deployment.stores.users.by_name('root').id}"

    assert "can sign in" in words(press(admin, f"/admin/person/disable?id={bo.id}"))
    assert flow.refresh().json["error"] == "invalid_grant", "nothing that ended comes back"
    assert browser.http.get("/account/connections").location.startswith("/sign-in")
    assert Visitor(site, bo.username).open("/sign-in").status_code == 200


def test_a_form_says_what_it_wants_so_that_pressed_twice_it_does_no_more(site: Site, admin: Visitor, bo: User):
    page = admin.open(f"/admin/person/disable?id={bo.id}")
    for _ in range(2):
        admin.submit(page, forms(page)[-1], {})
        assert now(site, bo).disabled
    assert len(site.deployment.stores.audit.page(AuditFilter(name="user.disabled", user_id=bo.id), None, 9).lines) == 1


def test_one_session_is_ended_or_all_of_them(site: Site, signed_in_as: As, bo: User):
    desk, laptop, phone = signed_in_as(Role.SUPPORT), Visitor(site, bo.username), Visitor(site, bo.username)
    laptop.open("/account/connections")
    page = desk.open(f"/admin/person?id={bo.id}")
    (link,) = re.findall(r'href="(/admin/session/end[^"]+)"', page.text)
    phone.open("/account/connections")
    press(desk, link.replace("&amp;", "&"))
    assert laptop.http.get("/account/connections").status_code == 303
    assert phone.http.get("/account/connections").status_code == 200
    assert desk.open(link.replace("&amp;", "&")).status_code == 404
    laptop.open("/account/connections")
    assert "signed out of 2 browsers" in words(desk.open(f"/admin/sessions/end?id={bo.id}"))
    press(desk, f"/admin/sessions/end?id={bo.id}")
    for browser in (laptop, phone):
        assert browser.http.get("/account/connections").status_code == 303


def test_nobodys_session_is_ended_under_another_name(site: Site, signed_in_as: As, bo: User):
    """Or whoever stands below a person could end their sessions by way of somebody else's page."""
    owner = signed_in_as(Role.OWNER)
    root = site.deployment.stores.users.by_name("some-owner")
    (session, *_) = site.deployment.stores.sessions.of_user(root.id, 9)
    desk = signed_in_as(Role.SUPPORT)
    assert desk.open(f"/admin/session/end?user={bo.id}&id={session.id}").status_code == 404
    assert desk.open(f"/admin/session/end?user={root.id}&id={session.id}").status_code == 403
    assert owner.http.get("/admin").status_code == 200


def give(browser: Visitor, person: User, role: str):
    page = browser.open(f"/admin/person/role?id={person.id}")
    return browser.submit(page, forms(page)[-1], {"role": role})


def test_a_role_is_given_and_counts_at_once(site: Site, admin: Visitor, bo: User):
    browser = Visitor(site, bo.username)
    browser.open("/sign-in")
    assert browser.http.get("/admin").status_code == 403
    assert "Role auditor" in words(give(admin, bo, "auditor"))
    assert browser.http.get("/admin").status_code == 200
    (line,) = site.deployment.stores.audit.page(AuditFilter(name="user.role_changed", user_id=bo.id), None, 9)
    assert line.event.detail == {"from": "member", "to": "auditor"}


def test_the_second_of_two_who_change_a_role_is_told_and_overwrites_nothing(site: Site, admin: Visitor, bo: User):
    page = admin.open(f"/admin/person/role?id={bo.id}")
    site.deployment.stores.users.set_role(bo.id, Role.SUPPORT, Role.MEMBER, EVENT)
    answer = admin.submit(page, forms(page)[-1], {"role": "auditor"})
    assert answer.status_code == 409
    assert "Somebody else has given this person another role" in answer.text
    assert "Role now support" in words(answer)
    assert now(site, bo).role is Role.SUPPORT


def test_an_admin_makes_no_owner_and_acts_on_none(site: Site, signed_in_as: As, bo: User):
    browser = signed_in_as(Role.ADMIN)
    page = browser.open(f"/admin/person/role?id={bo.id}")
    assert re.findall(r'name="role" value="(\w+)"', page.text) == ["auditor", "support", "member"]
    for role in ("owner", "admin", "", "king"):
        assert give(browser, bo, role).status_code == 400
    assert now(site, bo).role is Role.MEMBER
    assert give(browser, bo, "auditor").status_code == 200
    for name in ("root", "some-admin"):
        other = site.deployment.stores.users.by_name(name)
        assert ">Disable<" not in browser.open(f"/admin/person?id={other.id}").text
        for act in ("person/role", "person/disable", "sessions/end"):
            answer = browser.open(f"/admin/{act}?id={other.id}")
            assert answer.status_code == 403
            assert "only owners act on them" in answer.text


def test_the_last_owner_is_neither_lowered_nor_disabled(site_with):
    site = site_with()
    root = site.deployment.stores.users.by_name("root")
    browser = Visitor(site, "root")
    for answer in (give(browser, root, "member"), press(browser, f"/admin/person/disable?id={root.id}")):
        assert answer.status_code == 409
        assert "This is the last owner who can sign in" in answer.text
    assert now(site, root) == root
    assert browser.http.get("/admin").status_code == 200


def test_the_page_of_roles_has_every_act_and_who_may_do_it(admin: Visitor):
    said = words(admin.open("/admin/roles"))
    assert "see keys owner, admin, auditor rotate keys owner, admin" in said
    assert "end sessions owner, admin, support" in said


@pytest.mark.parametrize(
    "path", ["person", "person/role", "person/disable", "person/factors", "sessions/end", "session/end"]
)
@pytest.mark.parametrize("query", ["", "?id=", "?id=nobody&user=nobody", "?id=%00&user=x", "?id=%ff"])
def test_who_does_not_exist_is_404(admin: Visitor, path: str, query: str):
    assert admin.open(f"/admin/{path}{query}").status_code == 404
