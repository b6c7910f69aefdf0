"""Tools as people grant them: every challenge of a guard, met by unmodified clients in a browser, and none twice."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx2
import pytest
from playwright.sync_api import Page

from .client import KINDS, Client, ClientFailed, Decide
from .conftest import ClientOf
from .person import Person
from .ports import free_port
from .stage import ROOT, Stage

NOTE = {"title": "work/plan", "text": "a text"}
WITHIN = 3.0  # seconds
PATIENCE = 60  # seconds, on a busy machine
OTHER = {"title": "home/plan", "text": "a text"}


@dataclass(frozen=True)
class Growing:
    """A server whose guard asks for permissions, and which can grow a tool."""

    resource: str
    process: subprocess.Popen[bytes]

    def grow(self) -> None:
        """Add the tool ``count_notes``."""
        self.process.send_signal(signal.SIGUSR1)


@pytest.fixture(scope="module")
def growing(running: Stage) -> Iterator[Growing]:
    """Registered with its tools, from the server itself, and with an identity of its guard."""
    port = free_port()
    resource, key = f"http://localhost:{port}/mcp", running.home / f"growing-{port}.jwk"
    running.authserver(
        "resource", "add", resource, "--name", "Growing notes", "--scope", "notes:read=See your notes",
        "--scope", "notes:write=Write notes", "--scope", "notes:delete=Delete notes", "--risk", "notes:write=write",
        "--risk", "notes:delete=destructive", "--default", "notes:read", "--guard-key", str(key),
    )  # fmt: skip
    environment = {"MCP_PORT": str(port), "NOTES_RESOURCE": resource, "NOTES_ISSUER": running.issuer}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.journeys.growing_notes"],
        cwd=ROOT,
        env={**running.environment, **environment, "NOTES_GUARD_KEY": str(key)},
    )
    _await(resource)
    running.authserver("resource", "sync", resource, "--agree")
    yield Growing(resource, process)
    process.terminate()
    process.wait(20)


def _await(resource: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            httpx2.get(resource)
        except httpx2.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the server did not start")


class Counted:
    """A decision that counts how often it was asked for."""

    def __init__(self, decide: Decide) -> None:
        self.decide = decide
        self.times = 0

    def __call__(self, url: str) -> None:
        self.times += 1
        self.decide(url)


def step(client: Client, decide: Decide, tool: str, **arguments: str) -> str:
    """A call for which the person is asked exactly once."""
    counted = Counted(decide)
    found: str = client.do("call", tool=tool, arguments=arguments, decide=counted)
    assert counted.times == 1
    return found


def sees(*words: str) -> Callable[[Page], None]:
    def look(page: Page) -> None:
        text = page.locator("main").inner_text()
        assert all(word in text for word in words), text

    return look


def limit(page: Page) -> None:
    """Take only what reads, and limit read_note to titles below ``work``."""
    page.get_by_role("button", name="Only what reads").click()
    page.locator(".tool", has_text="Read a note").get_by_text("Limit what it is called with").click()
    page.locator("select[name='argument:read_note']").select_option("title")
    page.locator("select[name='kind:read_note']").select_option("under")
    page.locator("input[name='limit:read_note']").fill("work")


@pytest.mark.requirement("EX-7", "RS-3", "RS-5", "RS-11", "AZ-5", "AZ-14")
@pytest.mark.parametrize("kind", KINDS)
def test_every_challenge_is_met_once_and_never_loops(
    kind: str, growing: Growing, client_of: ClientOf, person: Person
) -> None:
    client = client_of(kind, url=growing.resource)
    client.do("connect", decide=person.allow_after(limit))
    for note in (NOTE, OTHER):
        decide = person.allow if note is NOTE else None
        assert "Kept" in client.do("call", tool="write_note", arguments=note, decide=decide)

    assert client.do("call", tool="read_note", arguments={"title": NOTE["title"]}) == "a text"
    outside = person.allow_after(sees('only "home/plan"', "asked for now"))
    assert step(client, outside, "read_note", title=OTHER["title"]) == "a text"
    assert client.do("call", tool="read_note", arguments={"title": NOTE["title"]}) == "a text"

    once = person.allow_after(sees("For a single call"))
    assert "Deleted" in step(client, once, "delete_note", title=NOTE["title"])
    assert "Deleted" in step(client, once, "delete_note", title=OTHER["title"])

    growing.grow()
    unknown = person.allow_after(sees("Tools that nobody here knows", "count_notes"))
    assert step(client, unknown, "count_notes") == "many"
    assert client.do("call", tool="count_notes", arguments={}) == "many"

    denied = Counted(person.deny)
    with pytest.raises(ClientFailed, match="access_denied"):
        client.do("call", tool="delete_note", arguments={"title": "x"}, decide=denied)
    assert denied.times == 1


@pytest.mark.requirement("EX-7", "AZ-5")
@pytest.mark.parametrize("kind", KINDS)
def test_who_allows_all_but_what_was_asked_for_is_not_asked_again(
    kind: str, growing: Growing, client_of: ClientOf, person: Person
) -> None:
    client = client_of(kind, url=growing.resource)
    client.do("connect", decide=person.allow)
    refuses = Counted(person.allow_without("notes:delete"))
    with pytest.raises(ClientFailed, match="access_denied"):
        client.do("call", tool="delete_note", arguments={"title": "x"}, decide=refuses)
    assert refuses.times == 1


@pytest.mark.requirement("RS-8", "TK-10", "AZ-8")
def test_what_was_done_is_told_to_person_and_administrator_and_what_is_revoked_ends(
    growing: Growing, client_of: ClientOf, person: Person, administrator: Person
) -> None:
    client = client_of("python", url=growing.resource)
    client.do("connect", decide=person.allow)
    assert "Kept" in step(client, person.allow, "write_note", **NOTE)
    assert client.do("call", tool="read_note", arguments={"title": NOTE["title"]}) == "a text"
    assert "Deleted" in step(client, person.allow, "delete_note", title=NOTE["title"])
    for who, page in ((person, "/account/calls"), (administrator, "/admin/calls")):
        _until_told(who, page, "delete_note")

    administrator.revoke_grant_of(client.client_id)
    assert _seconds_let_in(client, person) < WITHIN


def _seconds_let_in(client: Client, person: Person) -> float:
    """Go on calling until the person is asked, who denies; when the last call before began."""
    since, last = time.monotonic(), 0.0
    while (began := time.monotonic() - since) < PATIENCE:
        try:
            client.do("call", tool="list_notes", arguments={}, decide=person.deny)
        except ClientFailed as failed:
            assert "access_denied" in str(failed)
            return last
        last = began
    raise AssertionError("still let in")


def _until_told(who: Person, page: str, words: str) -> None:
    deadline = time.monotonic() + PATIENCE
    who.open(who.stage.issuer + page)
    while words not in who.page.content():
        assert time.monotonic() < deadline, "the receipt did not arrive"
        who.page.reload()
