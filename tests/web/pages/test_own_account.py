"""What people change about their own accounts: password and mail address, with an end to what the old ones opened."""

import pytest
from sqlalchemy import update

from authserver.protocol.role import Role
from authserver.store.audit import AuditFilter
from authserver.store.models import SessionRow
from authserver.store.users import EmailTaken
from tests.conformance.site import PASSWORD, Site
from tests.conformance.visitor import Visitor

from .kim import ADDRESS, CHOSEN, ELSEWHERE, EVENT, NEW, fill, forget, is_signed_in, now, press, signs_in


@pytest.fixture
def site(mailing: Site) -> Site:
    return mailing


def test_a_new_password_ends_all_other_sessions_and_begins_this_one_anew(site, browser):
    other = Visitor(site, "kim")
    other.open("/account/security")
    before = {line.digest for line in site.deployment.stores.sessions.of_user(now(site).id, 9)}
    page = fill(browser, browser.http.get("/account/password"), password=PASSWORD, new_password=CHOSEN, repeated=CHOSEN)
    assert page.request.path == "/account/security"
    assert not is_signed_in(other)
    (line,) = site.deployment.stores.sessions.of_user(now(site).id, 9)
    assert line.digest not in before
    assert signs_in(site, CHOSEN)


def test_the_address_is_told_of_a_change(site, mailbox, browser):
    page = browser.http.get("/account/password")
    fill(browser, page, password=PASSWORD, new_password=CHOSEN, repeated=CHOSEN)
    assert "Your password was changed" in mailbox.to(ADDRESS)[-1]["Subject"]
    assert site.deployment.stores.audit.page(AuditFilter(name="user.password_changed"), None, 9).lines


def test_a_new_password_takes_the_one_until_now(site, browser):
    page = browser.http.get("/account/password")
    answer = fill(browser, page, password="wrong password", new_password=CHOSEN, repeated=CHOSEN)
    assert answer.status_code == 400
    assert "That is not your password" in answer.text
    assert is_signed_in(browser)
    assert signs_in(site, PASSWORD)


def test_a_short_password_is_refused_and_nothing_changes(site, browser):
    page = browser.http.get("/account/password")
    answer = fill(browser, page, password=PASSWORD, new_password="short", repeated="short")
    assert (answer.status_code, "at least 12" in answer.text) == (400, True)
    assert signs_in(site, PASSWORD)


def test_of_two_new_passwords_at_once_the_second_finds_the_first(site, kim):
    own = site.deployment.own_account
    assert own.change_password(kim, CHOSEN, ELSEWHERE)
    assert not own.change_password(kim, "another good password", ELSEWHERE)
    assert signs_in(site, CHOSEN)


def ask_for(browser: Visitor, email: str = NEW):
    return fill(browser, browser.http.get("/account/email"), email=email)


def test_an_address_is_theirs_once_they_followed_the_link_and_the_old_one_is_told(site, mailbox, browser):
    assert "Until then nothing changes" in ask_for(browser).text
    assert now(site).email == ADDRESS
    page = press(browser, mailbox.link(NEW))
    assert page.request.path == "/account/security"
    assert (now(site).email, now(site).email_verified_at is not None) == (NEW, True)
    assert "Your mail address was changed" in mailbox.to(ADDRESS)[-1]["Subject"]


def test_a_link_for_an_address_is_of_use_to_its_own_person_alone(site, mailbox, browser):
    ask_for(browser)
    link = mailbox.link(NEW)
    ada = Visitor(site, "ada")
    assert ada.open(link).status_code == 410
    assert site.deployment.stores.users.by_name("ada").email is None
    assert press(browser, link).status_code == 200


def test_whoever_follows_it_signed_out_signs_in_on_the_way(site, mailbox, browser):
    ask_for(browser)
    other = Visitor(site, "kim")
    assert press(other, mailbox.link(NEW)).status_code == 200
    assert now(site).email == NEW


def test_only_the_newest_link_for_an_address_works(site, mailbox, browser):
    ask_for(browser)
    first = mailbox.link(NEW)
    ask_for(browser, "kim@third.example")
    assert browser.open(first).status_code == 410
    press(browser, mailbox.link("kim@third.example"))
    assert now(site).email == "kim@third.example"


def test_somebody_elses_address_stays_theirs_and_nobody_is_told_that_they_are_here(site, mailbox, browser):
    users = site.deployment.stores.users
    users.add("lee", "Lee", "x", Role.MEMBER, EVENT, email=NEW, verified=True)
    free = ask_for(browser, "free@example.com").text.partition("<main")[2]
    assert ask_for(browser).text.partition("<main")[2] == free
    page = press(browser, mailbox.link(NEW))
    assert page.status_code == 409
    assert "Another account here has this address" in page.text
    assert now(site).email == ADDRESS


def test_a_new_address_takes_a_fresh_sign_in(site, browser):
    with site.deployment.stores.database.transaction() as connection:
        connection.execute(update(SessionRow).values(auth_time=1))
    answer = browser.http.get("/account/email")
    assert (answer.status_code, answer.location) == (303, "/sign-in/again?next=/account/email")


def test_links_for_a_password_that_went_to_the_old_address_end(site, mailbox, browser):
    forget(site, ADDRESS)
    link = mailbox.link(ADDRESS)
    ask_for(browser)
    press(browser, mailbox.link(NEW))
    assert Visitor(site).open(link).status_code == 410


def test_a_link_that_takes_a_taken_address_is_as_it_was(site, browser, kim):
    site.deployment.stores.users.add("lee", "Lee", "x", Role.MEMBER, EVENT, email=NEW, verified=True)
    ask_for(browser)
    links = site.deployment.stores.account_links
    with site.deployment.stores.database.reading() as connection:
        digest = bytes(connection.exec_driver_sql("SELECT digest FROM account_links").scalar())
    for _ in range(2):
        with pytest.raises(EmailTaken):
            links.confirm_email(digest, kim, None, EVENT)


def test_ones_own_sessions_are_listed_and_one_is_ended(site, browser):
    other = site.deployment.sessions.open(now(site), ELSEWHERE, "Other browser")
    sessions = site.deployment.stores.sessions.of_user(now(site).id, 9)
    (theirs,) = [line for line in sessions if line.agent == "Other browser"]
    assert "Other browser" in browser.http.get("/account/security").text
    press(browser, f"/account/session/end?id={theirs.id}")
    assert site.deployment.sessions.find(other) is None
    assert is_signed_in(browser)


def test_nobody_ends_sessions_of_others(site, browser):
    root = Visitor(site, "root")
    root.open("/account/security")
    (theirs,) = site.deployment.stores.sessions.of_user(site.deployment.stores.users.by_name("root").id, 9)
    assert browser.open(f"/account/session/end?id={theirs.id}").status_code == 404
    assert is_signed_in(root)


def test_all_other_sessions_are_ended_at_once_and_this_one_begins_anew(site, browser):
    others = [Visitor(site, "kim") for _ in range(2)]
    for other in others:
        other.open("/account/security")
    before = {line.digest for line in site.deployment.stores.sessions.of_user(now(site).id, 9)}
    press(browser, "/account/sessions/end")
    assert not any(map(is_signed_in, others))
    assert is_signed_in(browser)
    (line,) = site.deployment.stores.sessions.of_user(now(site).id, 9)
    assert line.digest not in before


def test_nobody_else_sees_these_pages(site):
    for path in ("security", "password", "email", "email/sent", "email/confirm", "session/end?id=x", "sessions/end"):
        answer = site.http().get(f"/account/{path}")
        assert (answer.status_code, answer.location.startswith("/sign-in?next=")) == (303, True), path
