"""A forgotten password is set anew by a link that is mailed, to whom nobody but the post finds out."""

import pytest
from sqlalchemy import update

from authserver.store.account_links import Purpose
from authserver.store.letters import blank
from authserver.store.models import AccountLinkRow, FactorRow, ThrottleRow, UserRow
from tests.conformance.site import PASSWORD, Site
from tests.conformance.visitor import Visitor

from .factor_owner import Person
from .kim import ADDRESS, CHOSEN, ELSEWHERE, NEW, choose, fill, forget, is_signed_in, now, signs_in


@pytest.fixture
def site(mailing: Site) -> Site:
    return mailing


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


def test_a_new_password_by_mail_leaves_the_second_factor_owed(site, mailbox, kim, browser):
    person = Person(site)
    person.add_app()
    with site.deployment.stores.database.transaction() as connection:
        connection.execute(update(FactorRow).values(user_id=kim.id))
    forget(site, ADDRESS)
    stranger = Visitor(site, "kim")
    choose(stranger, stranger.open(mailbox.link(ADDRESS)))
    page = stranger.http.get("/sign-in")
    assert "One more step" in fill(stranger, page, username="kim", password=CHOSEN).text
    assert not is_signed_in(stranger)


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
