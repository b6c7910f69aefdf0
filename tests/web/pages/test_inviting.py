"""The console invites people, as far as the visitor's role stands over theirs, and takes invitations back."""

import pytest

from authserver.protocol.audit import Event
from authserver.protocol.role import Role
from authserver.store.audit import AuditFilter
from tests.conformance.site import Site
from tests.conformance.visitor import Visitor, forms
from tests.web.pages.conftest import As

EVENT = Event("user.invited", "system")


@pytest.fixture
def site(mailing: Site) -> Site:
    return mailing


def invite(browser: Visitor, **typed: str):
    page = browser.open("/admin/people/invite")
    sent = {"username": "bo", "display_name": "Bo B.", "email": "bo@example.com", "role": "member", **typed}
    return browser.submit(page, forms(page)[-1], sent)


def test_an_owner_invites_somebody_who_is_mailed_and_listed(site, mailbox, admin):
    page = invite(admin, role="admin")
    assert page.request.path == "/admin/invitations"
    assert "bo@example.com" in page.text
    assert "Your invitation" in mailbox.to("bo@example.com")[-1]["Subject"]
    (waiting,) = site.deployment.stores.invitations.open(9)
    root = site.deployment.stores.users.by_name("root")
    assert (waiting.role, waiting.invited_by) == (Role.ADMIN, f"user:{root.id}")


@pytest.mark.parametrize("role", ["owner", "admin", "king"])
def test_an_admin_invites_no_owner_and_no_admin(site, signed_in_as: As, role):
    answer = invite(signed_in_as(Role.ADMIN), role=role)
    assert answer.status_code == 400
    assert site.deployment.stores.invitations.open(9) == ()


def test_an_admin_takes_no_invitation_of_an_owner_back(site, signed_in_as: As):
    site.deployment.invitations.invite("bo", "", Role.OWNER, "bo@example.com", EVENT)
    (waiting,) = site.deployment.stores.invitations.open(9)
    admin = signed_in_as(Role.ADMIN)
    assert admin.open(f"/admin/invitation/withdraw?id={waiting.id}").status_code == 403
    assert ">Take back</a>" not in admin.open("/admin/invitations").text


def test_an_admin_replaces_no_invitation_of_an_owner_by_one_of_the_same_name(site, signed_in_as: As):
    site.deployment.invitations.invite("bo", "", Role.ADMIN, "bo@example.com", EVENT)
    answer = invite(signed_in_as(Role.ADMIN), email="other@example.com")
    assert answer.status_code == 409
    assert "an invitation of &#39;bo&#39; waits, which only an owner replaces" in answer.text
    (waiting,) = site.deployment.stores.invitations.open(9)
    assert (waiting.role, waiting.email) == (Role.ADMIN, "bo@example.com")


def test_an_owner_replaces_it_and_the_event_tells(site, admin):
    site.deployment.invitations.invite("bo", "", Role.ADMIN, "bo@example.com", EVENT)
    invite(admin, email="other@example.com")
    (waiting,) = site.deployment.stores.invitations.open(9)
    assert (waiting.role, waiting.email) == (Role.MEMBER, "other@example.com")
    newest = site.deployment.stores.audit.page(AuditFilter(name="user.invited"), None, 1).lines[0]
    assert newest.event.detail == {"username": "bo", "role": "member", "replaced": "admin"}


def test_an_invitation_of_an_owner_that_expired_is_replaced_by_whoever_invites(site, signed_in_as: As):
    site.deployment.invitations.invite("bo", "", Role.ADMIN, "bo@example.com", EVENT)
    with site.deployment.stores.database.transaction() as connection:
        connection.exec_driver_sql("UPDATE invitations SET expires_at = created_at")
    invite(signed_in_as(Role.ADMIN))
    (waiting,) = site.deployment.stores.invitations.open(9)
    assert waiting.role is Role.MEMBER


def test_an_invitation_is_taken_back(site, admin):
    invite(admin)
    (waiting,) = site.deployment.stores.invitations.open(9)
    page = admin.open(f"/admin/invitation/withdraw?id={waiting.id}")
    assert "No invitation waits" in admin.submit(page, forms(page)[-1], {}).text
    assert "No invitation waits" in admin.submit(page, forms(page)[-1], {}).text


@pytest.mark.parametrize(
    ("typed", "status"),
    [
        ({"username": "ада"}, 200),
        ({"username": "аda"}, 400),
        ({"username": "ad\u200ba"}, 400),
        ({"username": "ADA"}, 409),
        ({"username": "ⓐda"}, 400),
        ({"username": "rооt"}, 400),
        ({"username": "röot"}, 409),
        ({"username": "a" * 201}, 400),
        ({"username": ""}, 400),
        ({"email": "bo"}, 400),
        ({"email": "bo@example.com\nBcc: x@example.com"}, 400),
        ({"display_name": "<b>Bo</b> \u202e"}, 200),
    ],
)
def test_names_that_pass_for_others_and_what_is_no_address_are_refused(site, admin, typed, status):
    page = invite(admin, **typed)
    assert page.status_code == status
    assert len(site.deployment.stores.invitations.open(9)) == (status == 200)


def test_a_name_in_another_alphabet_that_looks_like_one_that_is_there_is_refused(site, admin):
    hashed = site.deployment.sign_in.passwords.hash("x")
    site.deployment.stores.users.add("caxap", "Sugar", hashed, Role.MEMBER, EVENT)
    assert invite(admin, username="сахар").status_code == 409


def test_without_mail_the_link_is_shown_once(site_with):
    plain = site_with()
    browser = Visitor(plain, "root")
    page = invite(browser)
    assert "http://localhost:9000/account/invitation?secret=mcpl_" in page.text
    assert "secret=" not in browser.open("/admin/invitations").text
