"""Whoever adds or takes a way into an account is told of by mail: it outlives a new password."""

import pytest
from sqlalchemy import update

from authserver.accounts.errors import WrongFactor
from authserver.store.models import UserRow
from authserver.store.user import User
from tests.conformance.site import PASSWORD, Site
from tests.mailbox import Mailbox

from .factor_owner import FACTORS, Person
from .kim import CHOSEN, ELSEWHERE, fill, press

ADDRESS = "bo@example.com"


@pytest.fixture
def site(mailing: Site) -> Site:
    """That of the administrator too."""
    return mailing


@pytest.fixture
def person(mailing: Site) -> Person:
    """Somebody who reads the mail to an address."""
    found = Person(mailing)
    with mailing.deployment.stores.database.transaction() as connection:
        theirs = update(UserRow).where(UserRow.id == found.user.id)
        connection.execute(theirs.values(email=ADDRESS, email_verified_at=1))
    return found


def told(mailbox: Mailbox) -> list[str]:
    """What the letters say, each by its second line."""
    return [mail.get_content().splitlines()[1] for mail in mailbox.to(ADDRESS)]


def reader_of(person: Person) -> User:
    """That person, with the address that is theirs by now."""
    found = person.site.deployment.stores.users.find(person.user.id)
    assert found is not None
    return found


def test_an_app_that_is_added_and_removed_is_told_of(person: Person, mailbox: Mailbox):
    person.add_app()
    assert told(mailbox) == ["An authenticator app was added."]
    (factor,) = person.site.deployment.stores.factors.of_user(person.user.id)
    person.sent(person.browser.open(f"{FACTORS}/remove?id={factor.id}"))
    assert told(mailbox)[1:] == ["A passkey or an authenticator app was removed."]
    assert "/account/security" in mailbox.to(ADDRESS)[-1].get_content()


def test_recovery_codes_in_place_of_others_are_told_of(person: Person, mailbox: Mailbox):
    person.add_app()
    person.recovery_codes()
    assert len(told(mailbox)) == 1, "the first ones open nothing that others opened"
    person.recovery_codes()
    assert told(mailbox)[1:] == ["New recovery codes were made, and those until now open nothing any more."]


def test_a_new_password_says_what_it_does_not_end(person: Person, mailbox: Mailbox):
    page = person.browser.open("/account/password")
    fill(person.browser, page, password=PASSWORD, new_password=CHOSEN, repeated=CHOSEN)
    (letter,) = mailbox.to(ADDRESS)
    assert "Passkeys and identity providers open your account as before" in letter.get_content()
    assert "/account/security" in letter.get_content()


def test_a_recovery_code_that_is_used_is_told_of(person: Person, mailbox: Mailbox):
    person.add_app()
    code, *_ = person.recovery_codes()
    person.site.deployment.second_factors.codes.judge(reader_of(person), code, ELSEWHERE)
    assert told(mailbox)[1:] == ["A recovery code was used to sign in. It opens nothing any more."]
    with pytest.raises(WrongFactor):
        person.site.deployment.second_factors.codes.judge(reader_of(person), code, ELSEWHERE)
    assert len(told(mailbox)) == 2, "once"


@pytest.mark.parametrize("path", ["/admin/person/factors", "/admin/sessions/end"])
def test_what_an_administrator_ends_is_told_of_if_there_was_something(person: Person, mailbox: Mailbox, admin, path):
    person.add_app()
    for _ in range(2):
        press(admin, f"{path}?id={person.user.id}")
    (letter,) = mailbox.to(ADDRESS)[1:]
    assert letter["Subject"].startswith("An administrator changed your account")
    ended = {
        "/admin/person/factors": "All your passkeys, authenticator apps and recovery codes were removed.",
        "/admin/sessions/end": "You were signed out everywhere, and no browser stays signed in.",
    }
    assert letter.get_content().splitlines()[1] == ended[path]
