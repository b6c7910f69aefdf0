"""Grants from before a catalogue, or before there were decisions about tools."""

from dataclasses import replace

import pytest

from authserver.protocol.access_token import ClientAuthority
from authserver.protocol.errors import InvalidGrant
from authserver.protocol.grants import Outcome
from authserver.protocol.scope import Risk, Scope
from authserver.services.policy.policies import Left
from authserver.store import migrate
from tests.conformance.visitor import Visitor
from tests.tools.attack import DELETING, refreshed, ways
from tests.tools.conftest import SCOPES, Docs, claims_of, tool, tools_of
from tests.tools.test_consent import accepted, token

pytestmark = pytest.mark.requirement("EX-7")


def test_a_tool_under_a_scope_that_had_none_is_not_covered(docs: Docs, visitor: Visitor):
    """tools.md: a tool that the server adds is in no token until a person ticked it, even under a granted scope."""
    docs.change(scopes=(*SCOPES, Scope("docs:export", "Export", Risk.READ)))
    accepted(docs, visitor, scope="docs:export")
    docs.change(tools=(*docs.resource.tools, tool("delete_all_exports", "docs:export", Risk.DESTRUCTIVE)))
    assert "delete_all_exports" not in tools_of(refreshed(docs))


def test_a_tool_added_after_the_catalogue_came_is_not_covered_for_older_grants(docs: Docs, visitor: Visitor):
    """As above, for grants from before the server's tools were known (also those from before the migration)."""
    began = tuple(replace(one, first_seen=1_780_000_000) for one in docs.resource.tools)
    docs.change(tools=())
    accepted(docs, visitor)
    docs.change(tools=began)
    assert tools_of(refreshed(docs)) == {"list_docs", "read_doc"}
    docs.change(tools=(*began, tool("delete_all", "docs:read", Risk.DESTRUCTIVE)))
    assert "delete_all" not in tools_of(refreshed(docs))


def test_a_grant_from_before_loses_no_tool_by_a_page_that_does_not_show_it(docs: Docs, visitor: Visitor):
    """limits of decisions: what was decided about others stays (store.approval); nobody was asked about these."""
    tools = docs.resource.tools
    docs.change(tools=())
    docs.flow.answer(visitor.decide(docs.url(scope="docs:read docs:delete")))
    docs.flow.token()
    first = docs.flow.values["refresh_token"]
    docs.change(tools=tools)
    token(docs, visitor.decide(docs.url(scope="docs:read", prompt="consent")))
    docs.flow.values["refresh_token"] = first
    assert "delete_doc" in tools_of(refreshed(docs))


def test_a_single_call_at_a_server_without_a_catalogue_takes_nothing_else_away(docs: Docs, visitor: Visitor):
    """tools.md: a server whose tools nobody ever told has tokens with scopes alone."""
    docs.change(tools=())
    guard = docs.guard()
    claims = accepted(docs, visitor)
    assert "authorization_details" not in claims
    guard.announce(claims, "delete_doc", once="true")
    claims = accepted(docs, visitor, scope="docs:read tool:delete_doc:once")
    [once] = [way["once"] for way in ways(claims, "delete_doc")]
    assert guard.consume(claims, once).json == {"consumed": True}
    assert "authorization_details" not in refreshed(docs), "the client can call nothing at all any more"


def test_a_single_call_that_nobody_made_takes_nothing_else_away_for_good(docs: Docs, visitor: Visitor, monkeypatch):
    monkeypatch.setattr("authserver.services.tool_choices.ONCE_SECONDS", -1)
    docs.change(tools=())
    docs.guard()
    accepted(docs, visitor)
    assert "authorization_details" not in accepted(docs, visitor, scope="docs:read tool:delete_doc:once")


def test_a_server_that_loses_its_catalogue_opens_nothing_that_was_refused(docs: Docs, visitor: Visitor):
    """Fails closed: scopes alone would open wipe_all and read_doc, and a person decides when the tools are back."""
    tools = docs.resource.tools
    token(docs, visitor.decide(docs.url(scope=DELETING), tools={"list_docs", "delete_doc"}))
    docs.change(tools=())
    assert refreshed(docs)["authorization_details"] == []
    docs.change(tools=tools)
    assert tools_of(refreshed(docs)) == {"list_docs", "delete_doc"}


def test_a_client_for_itself_has_no_token_that_no_server_takes(docs: Docs):
    docs.change(tools=tuple(tool(f"read_a_document_number_{number}", "docs:read", Risk.READ) for number in range(400)))
    authority = ClientAuthority("job", docs.resource.identifier, ("docs:read",))
    with pytest.raises(InvalidGrant, match="ask for fewer"):
        docs.site.deployment.token._response(Outcome(authority, None), Left(authority.scopes), (), 0)


def test_what_was_refused_stays_refused_over_a_downgrade(site_with, docs_on):
    """Narrowed, never widened: a grant whose decisions were dropped must not open what its person refused."""
    site = site_with()
    docs, visitor = docs_on(site), Visitor(site)
    token(docs, visitor.decide(docs.url(scope="docs:read docs:delete"), tools={"list_docs", "delete_doc"}))
    assert tools_of(refreshed(docs)) == {"list_docs", "delete_doc"}
    url = site.deployment.settings.url_of_database
    migrate.downgrade(url, "0003")
    migrate.upgrade(url)
    answer = docs.flow.refresh()
    assert answer.status_code != 200 or not tools_of(claims_of(answer.json)) & {"wipe_all", "read_doc"}
