"""Acceptance: see a new client, approve it, watch its grant, revoke it; in the console, by the API, by command."""

import time
from collections.abc import Iterator

import httpx2
import pytest
from playwright.sync_api import Browser, expect

from authserver.protocol.role import Role
from tests.database import Databases
from tests.web.pages.test_roles import TABS

from .client import Client
from .conftest import ClientOf
from .minting import Mint
from .person import Person
from .stage import Stage, stage
from .test_revocation import PATIENCE, WITHIN, seconds_let_in
from .test_whole_dance import introspected
from .ways import WAYS, Console, Way, account

READERS = (Role.AUDITOR, Role.SUPPORT)


@pytest.fixture(scope="module")
def approving(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stage, Mint]]:
    """A deployment where every new client has to be approved, and a way to tokens without a browser."""
    url = databases.create()
    with stage(tmp_path_factory.mktemp("approving"), url, AUTHSERVER_REGISTRATION="approval") as found:
        mint = Mint(found, url)
        yield found, mint
        mint.stores.database.close()
    databases.drop(url)


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, approving: tuple[Stage, Mint], browser: Browser) -> Iterator[Way]:
    found = WAYS[request.param](approving[0], browser)
    yield found
    found.close()


def waiting_client_id(person: Person, url: str) -> str:
    """Open an authorization request of a client that waits: the id that the page tells people to quote."""
    person.open(url)
    expect(person.page.get_by_role("heading", level=1)).to_contain_text("approved first")
    return httpx2.URL(url).params["client_id"]


@pytest.mark.requirement("CR-2", "TK-10")
def test_a_new_client_is_seen_approved_watched_and_its_grant_revoked(
    approving: tuple[Stage, Mint], client_of: ClientOf, browser: Browser, way: Way
) -> None:
    running, _ = approving
    person = Person(browser, running, running.user)

    def wait_for_approval(url: str) -> None:
        way.approve(waiting_client_id(person, url))
        until = time.monotonic() + PATIENCE
        while not person.page.get_by_role("button", name="Allow", exact=True).count():
            assert time.monotonic() < until, "each process knows it within a second"
            person.open(url)
        person.allow(url)

    client: Client = client_of("python", url=running.resource)
    client.do("connect", decide=wait_for_approval)
    client.do("call", tool="list_notes", arguments={})
    (watched,) = way.whose(client.client_id)
    assert running.user.username in watched.lower()

    tokens = client.tokens
    way.revoke(client.client_id)
    assert seconds_let_in(running, tokens["access_token"]) < WITHIN
    assert introspected(running, tokens["access_token"]) == {"active": False}
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "client_id": client.client_id}
    assert httpx2.post(f"{running.issuer}/token", data=form).json()["error"] == "invalid_grant"
    assert way.whose(client.client_id) == []
    person.context.close()


@pytest.mark.parametrize("role", READERS)
def test_who_only_sees_opens_every_page_and_approves_nothing(
    approving: tuple[Stage, Mint], browser: Browser, role: Role
) -> None:
    running, _ = approving
    asked = {"client_name": "Waiting", "redirect_uris": ["http://127.0.0.1:5000/callback"]}
    asked |= {"token_endpoint_auth_method": "none"}
    client_id = httpx2.post(f"{running.issuer}/register", json=asked).json()["client_id"]
    console = Console(Person(browser, running, account(running, role)))
    page = console.person.page
    for tab in TABS[role]:
        console.open(tab)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
    console.client(client_id)
    expect(page.get_by_text("waits for approval").first).to_be_visible()
    for act in ("Approve", "Deny", "Suspend", "Delete"):
        expect(page.get_by_role("button", name=act, exact=True)).to_have_count(0)
    answer = page.goto(f"{running.issuer}/admin/approval/approve?kind=client&id={client_id}")
    assert answer is not None
    assert answer.status == 403
    assert f"Your role is {role}." in page.inner_text("main")
    console.close()


def test_support_ends_a_grant_and_an_auditor_does_not(approving: tuple[Stage, Mint], browser: Browser) -> None:
    running, mint = approving
    minted = mint.token(approved=True)
    auditor, support = (Console(Person(browser, running, account(running, role))) for role in READERS)
    auditor.open("Grants")
    auditor.search("grants", minted.client_id)
    expect(auditor.person.page.get_by_role("row").filter(has_text="Poller")).to_have_count(1)
    expect(auditor.person.page.get_by_role("link", name="Revoke")).to_have_count(0)
    support.revoke(minted.client_id)
    assert seconds_let_in(running, minted.access_token) < WITHIN
    for console in (auditor, support):
        console.close()


def test_a_member_is_not_let_into_the_console(approving: tuple[Stage, Mint], browser: Browser) -> None:
    running, _ = approving
    member = Person(browser, running, account(running, Role.MEMBER))
    member.open(f"{running.issuer}/admin")
    expect(member.page.get_by_role("heading", level=1)).to_have_text("This page is not open to you")
    member.context.close()
