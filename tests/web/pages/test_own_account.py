"""What people change about their own accounts: password and mail address, with an end to what the old ones opened."""

import pytest
from sqlalchemy import update

from authserver.protocol.audit import Event, Origin
from authserver.protocol.role import Role
from authserver.store.account_links import Purpose
from authserver.store.audit import AuditFilter
from authserver.store.letters import blank
from authserver.store.models import AccountLinkRow, SessionRow, ThrottleRow, UserRow
from authserver.store.users import EmailTaken, User
from tests.conformance.site import PASSWORD, Site
from tests.conformance.visitor import Visitor, forms

EVENT = Event("test.done", "system")
CHOSEN = "quiet otters paint fences"
ADDRESS = "kim@example.com"
NEW = "kim@new.example"
ELSEWHERE = Origin("192.0.2.9")


@pytest.fixture
def site(mailing: Site) -> Site:
    return mailing


@pytest.fixture
def kim(site: Site) -> User:
    hashed = site.deployment.sign_in.passwords.hash(PASSWORD)
    users = site.deployment.stores.users
    return users.add("kim", "Kim", hashed, Role.MEMBER, EVENT, email=ADDRESS, verified=True)


@pytest.fixture
def browser(site: Site, kim: User) -> Visitor:
    """Kim's, signed in."""
    found = Visitor(site, "kim")
    found.open("/account/security")
    return found


def fill(browser: Visitor, page, **filled: str):
    """Send the page's own form, not that of its bar."""
    form = next(form for form in forms(page) if set(filled) <= form.names())
    return browser.submit(page, form, filled)


def press(browser: Visitor, path: str):
    """Open the question at *path*, and say yes."""
    page = browser.open(path)
    return browser.submit(page, forms(page)[-1], {})


def choose(browser: Visitor, page, password: str = CHOSEN, **more: str):
    return fill(browser, page, new_password=password, repeated=password, **more)


def forget(site: Site, email: str):
    stranger = Visitor(site)
    return fill(stranger, stranger.http.get("/account/forgotten"), email=email)


def signs_in(site: Site, password: str, username: str = "kim") -> bool:
    browser = Visitor(site, username)
    page = browser.http.get("/sign-in")
    return "Sign out" in fill(browser, page, username=username, password=password).text


def is_signed_in(browser: Visitor) -> bool:
    return browser.http.get("/account/security").status_code == 200


def now(site: Site) -> User:
    return site.deployment.stores.users.by_name("kim")


def test_a_link_by_mail_sets_a_new_password_and_ends_all_sessions(site, mailbox, browser):
    assert "Look into your mail" in forget(site, " KIM@example.com ").text
    stranger = Visitor(site)
    page = choose(stranger, stranger.open(mailbox.link(ADDRESS)))
    assert "Your new password is set" in page.text
    assert not is_signed_in(stranger), "a mail alone signs nobody in"
    assert not is_signed_in(browser)
    assert signs_in(site, CHOSEN)
    assert not signs_in(site, PASSWORD)


def test_the_address_is_told_of_a_new_password(site, mailbox, kim):
    forget(site, ADDRESS)
    stranger = Visitor(site)
    choose(stranger, stranger.open(mailbox.link(ADDRESS)))
    told = mailbox.to(ADDRESS)[-1]
    assert "Your password was changed" in told["Subject"]
    assert "127.0.0.1" in told.get_content()


def test_a_link_for_a_password_works_once(site, mailbox, kim):
    forget(site, ADDRESS)
    first = mailbox.link(ADDRESS)
    stranger = Visitor(site)
    page = stranger.open(first)
    choose(stranger, page)
    assert choose(stranger, page).status_code in {400, 410}
    assert Visitor(site).open(first).status_code == 410


def test_a_link_for_a_password_ends_by_time_with_another_password_and_with_another_address(site, mailbox, kim):
    def promised() -> str:
        letter = site.deployment.own_account.written(blank(ADDRESS), now(site))
        return site.deployment.own_account.letters.mail(letter).text.split("secret=")[1].split()[0]

    def opens(secret: str) -> bool:
        return site.deployment.own_account.find(secret, Purpose.RESET) is not None

    late = promised()
    with site.deployment.stores.database.transaction() as connection:
        connection.execute(update(AccountLinkRow).values(expires_at=1))
    assert not opens(late)
    before = promised()
    assert opens(before)
    assert site.deployment.own_account.change_password(now(site), CHOSEN, ELSEWHERE)
    assert not opens(before)
    elsewhere = promised()
    with site.deployment.stores.database.transaction() as connection:
        connection.execute(update(UserRow).where(UserRow.username == "kim").values(email=NEW))
    assert not site.deployment.own_account.reset(elsewhere, "another good password", ELSEWHERE)


def test_whoever_was_locked_out_by_strangers_is_let_in(site, mailbox, kim):
    signs_in(site, "wrong password")
    with site.deployment.stores.database.transaction() as connection:
        delayed = update(ThrottleRow).where(ThrottleRow.key.startswith("account:"))
        connection.execute(delayed.values(blocked_until=2**40))
    assert not signs_in(site, PASSWORD), "the account has to wait"
    forget(site, ADDRESS)
    stranger = Visitor(site)
    choose(stranger, stranger.open(mailbox.link(ADDRESS)))
    assert signs_in(site, CHOSEN)


@pytest.mark.parametrize("change", [{"email_verified_at": None}, {"disabled_at": 1}, {"password_hash": ""}])
def test_only_who_is_known_to_have_the_address_and_a_password_gets_a_link(site, mailbox, kim, change):
    with site.deployment.stores.database.transaction() as connection:
        connection.execute(update(UserRow).where(UserRow.username == "kim").values(**change))
    assert "Look into your mail" in forget(site, ADDRESS).text
    assert mailbox.collect() == []
    assert not mailbox.deployment.post.deliver(), "nothing waits for ever"


def test_one_receiver_gets_one_mail_however_often_it_is_asked_for(site, mailbox, kim):
    answers = [forget(site, ADDRESS) for _ in range(3)]
    assert len({answer.text.partition("<main")[2] for answer in answers}) == 1
    assert len(mailbox.to(ADDRESS)) == 1


def test_one_place_may_ask_for_a_few(site):
    answers = [forget(site, f"nobody-{number}@example.com") for number in range(8)]
    assert [answer.status_code for answer in answers] == [200] * 6 + [429] * 2
    assert int(answers[-1].headers["Retry-After"]) >= 1


@pytest.mark.parametrize(
    "typed", ["", "kim", "kim@example.com\r\nBcc: all@example.com", "<kim@example.com>", "k@" * 200]
)
def test_what_is_no_address_is_refused(site, mailbox, typed):
    page = forget(site, typed)
    assert page.status_code == 400
    assert "That is no e-mail address" in page.text
    assert mailbox.collect() == []


def test_where_no_mail_is_sent_the_page_says_whom_to_ask(site_with):
    plain = site_with()
    visitor = Visitor(plain)
    assert "Ask your administrator" in visitor.open("/account/forgotten").text


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
