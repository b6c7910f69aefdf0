"""The console's page of one MCP server: scopes and tools, with marks and whose word they are."""

from dataclasses import replace

import pytest

from authserver.protocol.audit import Event
from authserver.protocol.client import ClientKind
from authserver.protocol.resource import Source, TokenFormat
from authserver.protocol.scope import Risk
from authserver.protocol.tool import Annotations, Claim, Mark, Tool, Word
from tests.conformance.site import NOTES, Site
from tests.conformance.visitor import Visitor, forms
from tests.policies.conftest import apply
from tests.store.scene import a_client
from tests.web.pages.test_consent_page import words

EVENT = Event("test.done", "system")
NASTY = Claim("<script>alert(1)</script>\u202e", "x" * 2000, Annotations(read_only=True), "a" * 64, "b" * 64)
TOOLS = (
    Tool("list_notes", "List notes", ("notes:read",)),
    Tool("list-notes", NASTY.title, ("notes:read",), NASTY.description, Risk.READ, Word.SERVER, Mark.NEW, NASTY),
    Tool("burn", "Burn", ("notes:read",), "", Risk.DESTRUCTIVE, mark=Mark.CHANGED, claim=NASTY),
    Tool("old", "Old", ("notes:read",), mark=Mark.GONE),
)


@pytest.fixture
def notes(site):
    resources = site.deployment.stores.resources
    resources.replace(replace(NOTES, tools=TOOLS), EVENT)
    yield
    resources.replace(NOTES, EVENT)


@pytest.mark.requirement("AZ-8")
def test_the_page_says_what_waits_and_whose_word_a_tool_is(notes, admin):
    page = admin.open(f"/admin/server?id={NOTES.identifier}")
    said = words(page)
    assert page.status_code == 200
    assert "2 tools wait to be agreed to" in said
    assert "Names that look alike: list_notes , list-notes" in said
    assert "claimed by the server" in said
    assert "your word the server claims: reads only" in said
    assert "gone" in said
    assert "<script>alert" not in page.text
    assert "\u202e" not in page.text


def test_each_server_leads_to_its_page_and_others_have_none(site, admin):
    assert f"/admin/server?id={NOTES.identifier}" in admin.open("/admin/servers").text.replace("%3A", ":")
    for wanted in ("", "?id=", "?id=https://nowhere.example", "?id=%00", "?id=" + "x" * 5000):
        assert admin.open(f"/admin/server{wanted}").status_code == 404


@pytest.mark.requirement("TK-2")
def test_the_page_says_what_tokens_are_and_where_the_tools_were_heard_of(site, notes, admin):
    resources = site.deployment.stores.resources
    page = f"/admin/server?id={NOTES.identifier}"
    said = words(admin.open(page))
    assert "Access tokens JWT; the server judges them by itself" in said
    for source, told in (
        (Source.SERVER, "asked of the server"),
        (Source.FILE, "read from a file"),
        (Source.GUARD, "published by its guard"),
    ):
        known = replace(NOTES, tools=TOOLS)
        assert resources.exchange(known, known, EVENT, heard=source)
        assert f"Tools {told}; last news" in words(admin.open(page))
    resources.replace(replace(NOTES, token_format=TokenFormat.OPAQUE), EVENT)
    assert "opaque; the server asks here about each of them" in words(admin.open(page))


def agree(admin: Visitor, *names: str):
    address = f"/admin/server/agree?id={NOTES.identifier}"
    page = admin.open(address)
    return admin.http.post(address, data={**dict(forms(page)[-1].fields), "tool": list(names)})


def marks(site: Site) -> dict[str, Mark]:
    site.deployment.stores.resources.refresh()
    (found,) = (one for one in site.deployment.stores.resources.all() if one.identifier == NOTES.identifier)
    return {tool.name: tool.mark for tool in found.tools}


def test_tools_that_are_ticked_are_let_in_and_no_others(site: Site, notes, admin: Visitor):
    page = admin.open(f"/admin/server/agree?id={NOTES.identifier}")
    assert "<script>alert" not in page.text
    assert "can delete or destroy" in words(page)
    assert agree(admin).status_code == 400, "none is ticked"
    assert agree(admin, "burn").status_code == 303
    assert marks(site) == {
        "list_notes": Mark.AGREED, "list-notes": Mark.NEW, "burn": Mark.AGREED, "old": Mark.GONE
    }  # fmt: skip
    assert agree(admin, "burn").status_code == 404, "it waits no more"


def test_a_tool_that_its_server_describes_otherwise_since_the_page_was_shown_is_not_let_in(
    site: Site, notes, admin: Visitor
):
    address = f"/admin/server/agree?id={NOTES.identifier}"
    fields = {**dict(forms(admin.open(address))[-1].fields), "tool": ["burn"]}
    otherwise = replace(NASTY, description="Burn it all", words_digest="c" * 64)
    tools = tuple(replace(tool, claim=otherwise) if tool.name == "burn" else tool for tool in TOOLS)
    site.deployment.stores.resources.replace(replace(NOTES, tools=tools), EVENT)
    answer = admin.http.post(address, data=fields)
    assert answer.status_code == 409
    assert "Burn it all" in answer.text
    assert marks(site)["burn"] is Mark.CHANGED


def test_the_page_says_who_may_use_the_server_and_which_guard_is_its_own(site: Site, admin: Visitor):
    page = f"/admin/server?id={NOTES.identifier}"
    assert "no rule is about it: people decide alone" in words(admin.open(page))
    apply(site, {"name": "not these", "effect": "deny", "servers": ["https://other.example/mcp"]},
          {"name": "strangers wait", "effect": "require approval", "verified": False})  # fmt: skip
    said = words(admin.open(page))
    apply(site)
    assert "strangers wait : require approval" in said
    assert "not these" not in said
    assert "access tokens 10 minutes" in said
    assert "Its guard" in said


def test_the_page_leads_to_the_identity_of_its_guard(site_with):
    site = site_with()
    guard = replace(a_client(), kind=ClientKind.RESOURCE_SERVER, name="Guard", metadata={"resource": NOTES.identifier})
    assert site.deployment.stores.clients.register(guard, EVENT)
    assert site.deployment.stores.clients.guards(NOTES.identifier) == (guard.client_id,)
    page = Visitor(site, "root").open(f"/admin/server?id={NOTES.identifier}")
    assert f"/admin/client?id={guard.client_id}" in page.text
