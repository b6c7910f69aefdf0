"""Accounts in Chromium, from the command that invites somebody to a browser that is signed in."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.database import Databases
from tests.journeys.ports import free_port
from tests.mailbox import link, mails, settings

from .scene import Scene, scene

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
    program = str(Path(sys.executable).with_name("authserver"))
    return subprocess.run([program, *arguments], env=environment, check=True, capture_output=True, text=True).stdout


def mailed(running: Scene, receiver: str, subject: str) -> str:
    """The link in the mail to *receiver* with *subject*, once it has come."""
    folder = Path(running.site.deployment.settings.mail_directory)
    for _ in range(600):
        found = [mail for mail in mails(folder) if mail["To"] == receiver and subject in mail["Subject"]]
        if found:
            return link(found[-1])
        time.sleep(0.05)
    raise AssertionError(f"no mail to {receiver} about {subject}")


def test_an_invitation_leads_from_the_command_to_a_browser_that_is_signed_in(running, page):
    said = command(running, "user", "invite", "kim", "--email", "kim@example.com", "--name", "Kim")
    assert "is on its way" in said
    page.goto(mailed(running, "kim@example.com", "Your invitation"))
    expect(page).to_have_url(f"{running.issuer}/account/invitation")
    page.get_by_label("New password", exact=True).fill(CHOSEN)
    page.get_by_label("New password again").fill(CHOSEN)
    page.get_by_role("button", name="Make my account").click()
    expect(page.get_by_text("You are signed in as")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{running.issuer}/sign-in")
    page.get_by_label("User name").fill("kim")
    page.get_by_label("Password").fill(CHOSEN)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("You are signed in as")).to_be_visible()
