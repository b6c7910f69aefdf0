"""Invitations: a link by mail, a password, and the account is there; used once, and by nobody else."""

import pytest
from sqlalchemy import update

from authserver.protocol.audit import Event
from authserver.protocol.role import Role
from authserver.store.audit import AuditFilter
from authserver.store.models import InvitationRow
from tests.conformance.site import PASSWORD, Site
from tests.conformance.visitor import Visitor, forms
from tests.mailbox import Mailbox

EVENT = Event("user.invited", "system")
CHOSEN = "quiet otters paint fences"
ADDRESS = "bo@example.com"


@pytest.fixture
def site(mailing: Site) -> Site:
    return mailing


@pytest.fixture
def guest(site: Site) -> Visitor:
    return Visitor(site, "bo")


@pytest.fixture
def link(site: Site, mailbox: Mailbox) -> str:
    assert site.deployment.invitations.invite("Bo", "Bo B.", Role.SUPPORT, "Bo@Example.com", EVENT) is None
    return mailbox.link(ADDRESS)


def choose(guest: Visitor, page, password: str = CHOSEN, repeated: str | None = None):
    form = next(form for form in forms(page) if "new_password" in form.names())
    said = password if repeated is None else repeated
    return guest.submit(page, form, {"new_password": password, "repeated": said})


def sign_in(site: Site, username: str, password: str) -> bool:
    browser = Visitor(site, username)
    page = browser.http.get("/sign-in")
    answer = browser.submit(page, forms(page)[0], {"username": username, "password": password})
    return "Sign out" in answer.text


def test_whoever_is_invited_chooses_a_password_and_is_signed_in(site, mailbox, guest, link):
    page = choose(guest, guest.open(link))
    assert page.request.path == "/"
    assert "You are signed in as" in page.text
    made = site.deployment.stores.users.by_name("BO")
    assert (made.display_name, made.role, made.email) == ("Bo B.", Role.SUPPORT, ADDRESS)
    assert made.email_verified_at is not None
    assert sign_in(site, "bo", CHOSEN)


@pytest.mark.requirement("TK-6")
def test_the_secret_of_a_link_is_kept_as_a_digest_and_leaves_the_address_at_once(site, guest, link):
    answer = guest._get(link)
    assert (answer.status_code, answer.location) == (303, "/account/invitation")
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    secret = link.partition("secret=")[2]
    with site.deployment.stores.database.reading() as connection:
        held = connection.exec_driver_sql("SELECT * FROM invitations").one()
    assert secret not in str(held)
    assert secret not in guest._get("/account/invitation").text


def test_a_mail_waits_sealed(site):
    site.deployment.invitations.invite("bo", "Bo", Role.MEMBER, ADDRESS, EVENT)
    with site.deployment.stores.database.reading() as connection:
        (held,) = connection.exec_driver_sql("SELECT sealed FROM letters").all()
    assert b"secret=" not in bytes(held[0])


def test_an_invitation_is_accepted_once(site, guest, link):
    choose(guest, guest.open(link))
    other = Visitor(site, "bo")
    page = other.open(link)
    assert page.status_code == 410
    assert "This link does not work any more" in page.text


def test_a_form_sent_twice_makes_one_account(site, guest, link):
    page = guest.open(link)
    assert "You are signed in as" in choose(guest, page).text
    assert choose(guest, page).status_code in {400, 410}


def test_the_newest_invitation_of_a_name_takes_the_place_of_earlier_ones(site, mailbox, guest, link):
    site.deployment.invitations.invite("bo", "Bo", Role.MEMBER, ADDRESS, EVENT)
    assert guest.open(link).status_code == 410
    assert "You are signed in as" in choose(guest, guest.open(mailbox.link(ADDRESS))).text
    assert site.deployment.stores.users.by_name("bo").role is Role.MEMBER


def test_an_invitation_ends(site, guest, link):
    with site.deployment.stores.database.transaction() as connection:
        connection.execute(update(InvitationRow).values(expires_at=1))
    assert guest.open(link).status_code == 410


def test_an_invitation_that_was_withdrawn_opens_nothing(site, guest, link):
    page = guest.open(link)
    (waiting,) = site.deployment.stores.invitations.open(9)
    assert site.deployment.stores.invitations.withdraw(waiting.id, EVENT)
    assert choose(guest, page).status_code == 410
    assert site.deployment.stores.users.by_name("bo") is None


@pytest.mark.parametrize(
    ("password", "repeated", "said"),
    [
        ("too short", None, "at least 12 characters"),
        ("x" * 1025, None, "at most 1024"),
        (CHOSEN, "else", "not the same"),
    ],
)
def test_a_password_that_is_not_taken_leaves_the_invitation_open(site, guest, link, password, repeated, said):
    page = choose(guest, guest.open(link), password, repeated)
    assert page.status_code == 400
    assert said in page.text
    assert "You are signed in as" in choose(guest, page).text


def test_who_took_the_name_meanwhile_keeps_it(site, guest, link):
    page = guest.open(link)
    hashed = site.deployment.sign_in.passwords.hash(PASSWORD)
    site.deployment.stores.users.add("bo", "Other", hashed, Role.MEMBER, EVENT)
    answer = choose(guest, page)
    assert answer.status_code == 409
    assert "by now" in answer.text
    assert site.deployment.stores.users.by_name("bo").display_name == "Other"


def test_another_session_in_the_browser_ends_with_the_new_account(site, link):
    browser = Visitor(site, "root")
    browser.open("/admin")
    page = browser.open(link)
    assert "That session ends when you go on" in page.text
    assert "Open the console" in choose(browser, page).text
    root = site.deployment.stores.users.by_name("root")
    assert site.deployment.stores.sessions.of_user(root.id, 9) == ()


def test_what_is_no_secret_opens_nothing(site, guest):
    for sent in ("", "x", "mcpl_" + "x" * 43, "mcpl_%00%0d%0aSet-Cookie:x=y", "%ff" * 400):
        assert guest.open(f"/account/invitation?secret={sent}").status_code == 410


def test_the_trail_tells_who_invited_whom(site, guest, link):
    choose(guest, guest.open(link))
    made = site.deployment.stores.users.by_name("bo")
    (added,) = site.deployment.stores.audit.page(AuditFilter(name="user.added", user_id=made.id), None, 9)
    assert added.event.detail == {"username": "bo", "role": "support", "invited_by": "system"}
    assert added.event.actor == f"user:{made.id}"


def test_without_mail_the_link_is_handed_on_and_proves_no_address(site_with):
    plain = site_with()
    link = plain.deployment.invitations.invite("bo", "Bo", Role.MEMBER, ADDRESS, EVENT)
    guest = Visitor(plain, "bo")
    assert "You are signed in as" in choose(guest, guest.open(link)).text
    made = plain.deployment.stores.users.by_name("bo")
    assert (made.email, made.email_verified_at) == (ADDRESS, None)
