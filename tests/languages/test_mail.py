"""Mail to people is in the language in which they last signed in, to the last sentence."""

import inspect
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from authserver.accounts import letters as texts
from authserver.accounts.catalogues import put
from authserver.accounts.letters import Letters
from authserver.keys.sealing import OneRoot, Vault
from authserver.protocol.audit import Event, Origin
from authserver.protocol.role import Role
from authserver.store.invitations import invitation
from authserver.store.letters import Letter, blank
from authserver.store.user import User
from tests.conformance.site import PASSWORD, Site
from tests.conformance.visitor import forms
from tests.mailbox import Mailbox, settings

from .conftest import Reader

EVENT = Event("test.done", "system")
FROM = Origin("192.0.2.9")
ADDRESS = "kim@example.com"
WRITER = Letters("https://auth.example", Vault(OneRoot(b"k" * 32)), sends_mail=True)
SENTENCES = [value for name, value in vars(texts).items() if name.isupper() and isinstance(value, str)]
SAME = re.compile(r"https://\S*|")  # what is the same in every language: links, and nothing


def person(language: str) -> User:
    return User(
        "1", "kim", "Kim", Role.MEMBER, "", disabled=False, email=ADDRESS, email_verified_at=1, language=language
    )


def invited(language: str) -> Letter | None:
    made = invitation("kim", "Kim", Role.MEMBER, ADDRESS, mailed=True)
    return WRITER.invitation(made, "secret", 7 * 86_400, language)


WRITTEN: dict[str, Callable[[str], Letter | None]] = {
    "invitation": invited,
    "reset": lambda language: WRITER.reset(blank(ADDRESS), person(language), "secret", 3600),
    "confirm_email": lambda language: WRITER.confirm_email(person(language), ADDRESS, "secret", 300),
    "password_changed": lambda language: WRITER.password_changed(person(language), FROM),
    "way_in_changed": lambda language: WRITER.way_in_changed(person(language), texts.APP_ADDED, FROM),
    "by_administrator": lambda language: WRITER.by_administrator(person(language), texts.FACTORS_TAKEN),
    "email_changed": lambda language: WRITER.email_changed(person(language), FROM),
    "sign_in_copied": lambda language: WRITER.sign_in_copied(person(language), FROM),
}
"""How each kind of letter is written to somebody of a language, by its name among `Letters`."""


def test_the_letters_below_are_all_that_there_are():
    public = inspect.getmembers(Letters, inspect.isfunction)
    writing = {
        name
        for name, found in public
        if not name.startswith("_") and "Letter" in str(found.__annotations__.get("return"))
    }
    assert writing == set(WRITTEN)


@pytest.mark.parametrize("name", WRITTEN)
def test_each_line_of_a_letter_is_in_the_language_of_its_person(name):
    english, german = (WRITER.mail(WRITTEN[name](language) or pytest.fail(name)) for language in ("en", "de"))
    assert english.subject != german.subject
    pairs = list(zip(english.text.splitlines(), german.text.splitlines(), strict=True))
    assert [one for one, other in pairs if one == other and not SAME.fullmatch(one)] == []
    assert any(SAME.fullmatch(one) and one == other for one, other in pairs), "links stay"


@pytest.mark.parametrize("sentence", SENTENCES)
def test_what_a_letter_may_tell_of_has_its_german(sentence):
    assert put(sentence, "de") != sentence


@pytest.mark.parametrize("seconds", [86_400, 172_800, 3600, 7200, 60, 90], ids=str)
def test_the_time_for_a_link_is_said_in_either_language(seconds):
    first, second = (WRITER.confirm_email(person(language), ADDRESS, "s", seconds) for language in ("en", "de"))
    assert first
    assert second
    assert re.search(r"here, within \d+ \w+, signed", WRITER.mail(first).text)
    assert re.search(r"hier innerhalb (eine[rs] \w+|von \d+ (Tagen|Stunden|Minuten)), an", WRITER.mail(second).text)


def test_whoever_speaks_neither_language_is_written_to_in_english():
    letter = WRITER.email_changed(person("fr"), FROM)
    assert letter
    assert WRITER.mail(letter).subject.startswith("Your mail address was changed")


@pytest.fixture
def mailing(site_with: Callable[..., Site], tmp_path: Path) -> Site:
    return site_with(**settings(tmp_path))


@pytest.fixture
def mailbox(mailing: Site, tmp_path: Path) -> Mailbox:
    return Mailbox(tmp_path, mailing.deployment)


@pytest.fixture
def kim(mailing: Site) -> User:
    hashed = mailing.deployment.sign_in.passwords.hash(PASSWORD)
    users = mailing.deployment.stores.users
    return users.add("kim", "Kim", hashed, Role.MEMBER, EVENT, email=ADDRESS, verified=True)


def forget(site: Site, reader: Reader, languages: str) -> None:
    browser = reader(site, languages)
    browser.submit(page := browser.http.get("/account/forgotten"), forms(page)[-1], {"email": ADDRESS})


def test_a_link_is_mailed_in_the_language_of_the_page_to_whoever_never_signed_in(mailing, mailbox, kim, reader):
    forget(mailing, reader, "de-AT")
    assert mailbox.to(ADDRESS)[-1]["Subject"].startswith("Ein neues Passwort")


def test_mail_is_in_the_language_of_the_last_sign_in_whoever_asks_for_it(mailing, mailbox, kim, reader):
    reader(mailing, "en", "kim").open("/account/security")
    reader(mailing, "de", "kim").open("/account/security")
    forget(mailing, reader, "en")
    assert mailbox.to(ADDRESS)[-1]["Subject"].startswith("Ein neues Passwort")
    person = mailing.deployment.stores.users.by_name("kim")
    mailing.deployment.interventions.end_sessions(person, EVENT)
    assert "Sie wurden überall abgemeldet" in mailbox.to(ADDRESS)[-1].get_content()


def test_an_invitation_is_in_the_language_that_is_chosen(mailing, mailbox, reader):
    mailing.deployment.invitations.invite("bo", "", Role.MEMBER, "bo@example.com", EVENT)
    assert mailbox.to("bo@example.com")[-1]["Subject"].startswith("Your invitation")
    admin = reader(mailing, "de", "root")
    page = admin.open("/admin/people/invite")
    assert '<option value="de" lang="de" selected>Deutsch</option>' in page.text
    typed = {"username": "cy", "display_name": "", "email": "cy@example.com", "role": "member", "language": "de"}
    admin.submit(page, forms(page)[-1], typed)
    assert mailbox.to("cy@example.com")[-1]["Subject"].startswith("Ihre Einladung")
