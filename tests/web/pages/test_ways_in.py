"""Whoever adds or takes a way into an account is told of by mail: it outlives a new password."""

import pytest
from sqlalchemy import update

from authserver.store.models import UserRow
from tests.conformance.site import PASSWORD, Site
from tests.mailbox import Mailbox

from .factor_owner import FACTORS, Person
from .kim import CHOSEN, fill

ADDRESS = "bo@example.com"


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
