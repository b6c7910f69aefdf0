"""Somebody leaves the company: an owner disables them, in the console or by command, and everything of theirs ends."""

import secrets
from collections.abc import Callable, Iterator

import httpx2
import pytest
from playwright.sync_api import Browser, expect

from .client import Client
from .conftest import ClientOf
from .person import Person
from .stage import Account, Stage
from .test_revocation import WITHIN, seconds_let_in, status
from .test_whole_dance import introspected


@pytest.fixture
def leaver(browser: Browser, running: Stage) -> Iterator[Person]:
    """Somebody of the test's own, at a browser not used before."""
    name = f"leaver-{secrets.token_hex(4)}"
    said = running.authserver("user", "add", name, "--name", "Lea Ver")
    found = Person(browser, running, Account(name, said.rstrip().rpartition("password: ")[2]))
    yield found
    found.context.close()


def _in_the_console(running: Stage, administrator: Person, leaver: Person) -> None:
    page = administrator.page
    administrator.open(f"{running.issuer}/admin")
    page.get_by_role("link", name="People", exact=True).click()
    page.get_by_label("Search people").fill(leaver.account.username)
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Lea Ver", exact=True).click()
    page.get_by_role("button", name="Disable").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Disable this person?")
    expect(page.locator("dl")).to_contain_text("1 end")
    page.get_by_role("button", name="Disable").click()
    expect(page.get_by_text("disabled: cannot sign in, and holds nothing")).to_be_visible()


def _by_command(running: Stage, administrator: Person, leaver: Person) -> None:
    assert "disabled" in running.authserver("user", "disable", leaver.account.username)


@pytest.mark.requirement("TK-6", "TK-10")
@pytest.mark.parametrize("disable", [_in_the_console, _by_command])
def test_whoever_leaves_is_out_everywhere_within_three_seconds(
    running: Stage,
    client_of: ClientOf,
    leaver: Person,
    administrator: Person,
    disable: Callable[[Stage, Person, Person], None],
) -> None:
    client: Client = client_of("python")
    client.do("connect", decide=leaver.allow)
    client.do("call", tool="list_notes", arguments={})
    tokens = client.tokens
    with httpx2.Client() as http:
        assert status(http, running, tokens["access_token"]) not in (401, 503)

    disable(running, administrator, leaver)
    assert seconds_let_in(running, tokens["access_token"]) < WITHIN
    assert introspected(running, tokens["access_token"]) == {"active": False}
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "client_id": client.client_id}
    assert httpx2.post(f"{running.issuer}/token", data=form).json()["error"] == "invalid_grant"
    leaver.open(f"{running.issuer}/account/connections")
    expect(leaver.page.get_by_role("alert")).to_have_text("That name and password do not go together.")
