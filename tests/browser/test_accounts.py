"""Accounts in Chromium, from the command that invites somebody to a browser that is signed in."""

import os
import secrets
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from authserver.protocol.role import Role
from tests.conformance.site import PASSWORD
from tests.database import Databases
from tests.forked import authserver
from tests.journeys.ports import free_port
from tests.mailbox import link, mails, settings

from .axe import faults
from .person import sign_in
from .scene import EVENT, Scene, scene

CHOSEN = "quiet otters paint fences"


@pytest.fixture(scope="module")
def running(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A server of these tests' own, which writes its mail into var/mail of its home."""
    url, home = databases.create(), tmp_path_factory.mktemp("home")
    with scene(url, home, free_port(), **settings(home / "mail")) as found:
        yield found
    databases.drop(url)


def command(running: Scene, *arguments: str) -> str:
    """Run ``authserver`` as an operator of the running server does."""
    held = running.site.deployment.settings
    environment = {
        **os.environ,
        "AUTHSERVER_HOME": str(held.home),
        "AUTHSERVER_DATABASE_URL": held.url_of_database,
        "AUTHSERVER_ISSUER": running.issuer,
        "AUTHSERVER_MAIL_DIRECTORY": held.mail_directory,
        "AUTHSERVER_MAIL_FROM": held.mail_from,
    }
    return authserver(*arguments, environment=environment, folder=held.home)


def mailed(running: Scene, receiver: str, subject: str) -> str:
    """The link in the mail to *receiver* with *subject*, once it has come."""
    return link(arrived(running, receiver, subject))


def told(running: Scene, receiver: str, subject: str) -> str:
    """What that mail says."""
    return str(arrived(running, receiver, subject).get_content())


def arrived(running: Scene, receiver: str, subject: str) -> EmailMessage:
    """The newest mail to *receiver* with *subject* in its own, once it has come."""
    folder = Path(running.site.deployment.settings.mail_directory)
    for _ in range(600):
        found = [mail for mail in mails(folder) if mail["To"] == receiver and subject in mail["Subject"]]
        if found:
            return found[-1]
        time.sleep(0.05)
    raise AssertionError(f"no mail to {receiver} about {subject}")


def choose(page: Page, password: str) -> None:
    """Type a new password twice."""
    page.get_by_label("New password", exact=True).fill(password)
    page.get_by_label("New password again").fill(password)


def test_an_invitation_leads_from_the_command_to_a_browser_that_is_signed_in(running, page):
    said = command(running, "user", "invite", "kim", "--email", "kim@example.com", "--name", "Kim")
    assert "is on its way" in said
    page.goto(mailed(running, "kim@example.com", "Your invitation"))
    expect(page).to_have_url(f"{running.issuer}/account/invitation")
    choose(page, CHOSEN)
    page.get_by_role("button", name="Make my account").click()
    expect(page.get_by_text("You are signed in as")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{running.issuer}/sign-in")
    sign_in(page, "kim", CHOSEN)
    expect(page.get_by_text("You are signed in as")).to_be_visible()


@pytest.fixture
def lee(running: Scene) -> str:
    """The user name of somebody whose address is that name at example.com."""
    deployment, name = running.site.deployment, f"lee-{secrets.token_hex(4)}"
    hashed = deployment.sign_in.passwords.hash(PASSWORD)
    email = f"{name}@example.com"
    deployment.stores.users.add(name, "Lee", hashed, Role.MEMBER, EVENT, email=email, verified=True)
    return name


def test_a_forgotten_password_is_set_anew_by_mail(running, page, lee):
    page.goto(f"{running.issuer}/sign-in")
    page.get_by_role("link", name="I forgot my password").click()
    page.get_by_label("E-mail address").fill(f"{lee}@example.com")
    page.get_by_role("button", name="Send me a link").click()
    expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
    page.goto(mailed(running, f"{lee}@example.com", "A new password"))
    choose(page, CHOSEN)
    page.get_by_role("button", name="Set the password").click()
    page.get_by_role("button", name="Sign in").click()
    sign_in(page, lee, CHOSEN)
    expect(page.get_by_text("You are signed in as")).to_be_visible()


def test_a_new_password_signs_other_browsers_out(running, page, opened, lee):
    other = opened()
    for each in (other, page):
        each.goto(f"{running.issuer}/account/security")
        sign_in(each, lee)
    expect(page.get_by_role("button", name="Sign all others out")).to_be_visible()
    page.get_by_role("link", name="Change it").first.click()
    page.get_by_label("Password until now").fill(PASSWORD)
    choose(page, CHOSEN)
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_role("heading", name="Your security")).to_be_visible()
    other.reload()
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()


def test_another_address_is_confirmed_by_mail(running, page, lee):
    page.goto(f"{running.issuer}/account/security")
    sign_in(page, lee)
    page.get_by_role("link", name="Change it").last.click()
    page.get_by_label("E-mail address").fill(f"{lee}@new.example")
    page.get_by_role("button", name="Mail me a link").click()
    page.goto(mailed(running, f"{lee}@new.example", "Is this your address?"))
    page.get_by_role("button", name="Yes, it is mine").click()
    expect(page.get_by_text(f"{lee}@new.example")).to_be_visible()
    assert "no more to this one" in told(running, f"{lee}@example.com", "address was changed")


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (400, "dark"), (1280, "light")])
def test_the_pages_of_ones_own_account_are_accessible(running, opened, scheme, width):
    deployment = running.site.deployment
    invited = f"ivy-{scheme}-{width}"
    deployment.invitations.invite(invited, "Ivy", Role.MEMBER, f"{invited}@example.com", EVENT)
    page = opened(color_scheme=scheme, viewport={"width": width, "height": 800}, reduced_motion="reduce")
    page.goto(mailed(running, f"{invited}@example.com", "Your invitation"))
    found = faults(page)
    for path in ("forgotten", "forgotten/sent", "reset/done", "reset?secret=x"):
        page.goto(f"{running.issuer}/account/{path}")
        found += faults(page)
    page.goto(f"{running.issuer}/account/security")
    sign_in(page, "ada")
    for path in ("security", "password", "email", "email/sent", "sessions/end"):
        page.goto(f"{running.issuer}/account/{path}")
        found += faults(page)
    page.goto(f"{running.issuer}/account/security")
    page.get_by_role("link", name="Sign it out").first.click()
    found += faults(page)
    assert not found
