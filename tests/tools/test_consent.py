"""Consent by tool: what the page proposes, what a person makes of it, and what the token says then (EX-7, AZ-8)."""

import re
import time
from dataclasses import replace
from typing import Any

import pytest

from authserver.protocol.access_token import ClientAuthority, TokenId
from authserver.protocol.scope import Risk
from authserver.protocol.tool import Mark
from authserver.protocol.way import Way
from tests.conformance.visitor import Visitor, forms
from tests.tools.conftest import SCOPES, Docs, claims_of, tool, tools_of

ALL = "docs:read docs:write docs:delete"
pytestmark = pytest.mark.requirement("EX-7")


def consent(page):
    return next(form for form in forms(page) if "decision" in form.names())


def ticked(page, kind: str = "tool") -> set[str]:
    form = consent(page)
    hidden = {value for name, value in form.fields if name == kind}
    return hidden | {value for name, value in form.checked if name == kind}


def token(docs: Docs, answer) -> dict[str, Any]:
    docs.flow.answer(answer)
    return claims_of(docs.flow.token().json)


def accepted(docs: Docs, visitor: Visitor, **request: str) -> dict[str, Any]:
    return token(docs, visitor.accept(docs.url(**request)))


@pytest.mark.requirement("AZ-8")
def test_what_can_destroy_is_off_until_somebody_ticks_it(docs: Docs, visitor: Visitor):
    page = visitor.open(docs.url(scope=ALL))
    assert ticked(page, "scope") == {"docs:read", "docs:write"}
    claims = accepted(docs, visitor, scope=ALL)
    assert claims["scope"] == "docs:read docs:write"
    assert tools_of(claims) == {"list_docs", "read_doc", "write_doc"}


def test_a_tool_can_be_left_out_of_its_scope(docs: Docs, visitor: Visitor):
    claims = token(docs, visitor.decide(docs.url(scope="docs:read docs:write"), tools={"list_docs", "write_doc"}))
    assert claims["scope"] == "docs:read docs:write"
    assert claims["authorization_details"] == [
        {"type": "mcp_tool", "locations": [docs.resource.identifier], "tools": ["list_docs", "write_doc"]}
    ]


def test_the_response_says_what_the_token_says_and_so_does_introspection(docs: Docs, visitor: Visitor):
    docs.flow.answer(visitor.decide(docs.url(), tools={"list_docs"}))
    response = docs.flow.token().json
    details = claims_of(response)["authorization_details"]
    assert response["authorization_details"] == details
    assert docs.guard().say("/introspect", token=response["access_token"]).json["authorization_details"] == details


def test_a_refresh_says_the_same_and_what_was_taken_back_is_gone(docs: Docs, visitor: Visitor):
    before = token(docs, visitor.decide(docs.url()))
    assert tools_of(claims_of(docs.flow.refresh().json)) == {"list_docs", "read_doc"}
    first = docs.flow.values["refresh_token"]
    token(docs, visitor.decide(docs.url(prompt="consent"), tools={"list_docs"}))
    docs.flow.values["refresh_token"] = first
    after = claims_of(docs.flow.refresh().json)
    assert tools_of(after) == {"list_docs"}
    assert before["status"] != after["status"], "the tokens that said more have ended"


def test_the_tools_of_a_scope_that_is_not_ticked_are_not_allowed(docs: Docs, visitor: Visitor):
    claims = token(
        docs, visitor.decide(docs.url(scope=ALL), scopes={"docs:read"}, tools={"list_docs", "read_doc", "write_doc"})
    )
    assert tools_of(claims) == {"list_docs", "read_doc"}


@pytest.mark.requirement("AZ-13")
def test_a_tool_that_is_ticked_without_its_scope_is_asked_about_again(docs: Docs, visitor: Visitor):
    page = visitor.open(docs.url(scope="docs:read docs:delete"))
    sent = {"decision": "allow", "scope": ["docs:read"], "tool": ["list_docs", "delete_doc"]}
    again = visitor.submit(page, consent(page), sent)
    assert (again.status_code, "Now both are ticked" in again.text) == (400, True)
    assert ticked(again, "scope") == {"docs:read", "docs:delete"}
    assert tools_of(token(docs, visitor.submit(again, consent(again), {**sent, "scope": ["docs:read", "docs:delete"]})))


def test_a_server_without_a_catalogue_has_tokens_of_scopes_alone(docs: Docs, visitor: Visitor):
    docs.change(tools=())
    assert "authorization_details" not in accepted(docs, visitor)


@pytest.mark.parametrize("mark", [Mark.NEW, Mark.CHANGED])
def test_what_waits_is_not_covered_until_this_person_or_an_administrator_agrees(docs: Docs, visitor: Visitor, mark):
    accepted(docs, visitor)
    docs.marked("read_doc", mark)
    assert tools_of(claims_of(docs.flow.refresh().json)) == {"list_docs"}
    assert "read_doc" not in ticked(visitor.open(docs.url(prompt="consent")))
    agreed = token(docs, visitor.decide(docs.url(prompt="consent")))
    assert tools_of(agreed) == {"list_docs", "read_doc"}
    docs.marked("read_doc", Mark.CHANGED, "other words again")
    assert tools_of(claims_of(docs.flow.refresh().json)) == {"list_docs"}
    docs.marked("read_doc", Mark.AGREED, "other words again")
    assert tools_of(claims_of(docs.flow.refresh().json)) == {"list_docs", "read_doc"}


def test_a_tool_that_is_added_under_a_scope_already_granted_is_not_covered(docs: Docs, visitor: Visitor):
    accepted(docs, visitor)
    docs.change(tools=(*docs.resource.tools, tool("find_doc", "docs:read", Risk.READ)))
    assert "find_doc" not in tools_of(claims_of(docs.flow.refresh().json))


@pytest.mark.requirement("AZ-9")
def test_a_quiet_client_is_asked_again_when_a_tool_was_added(docs: Docs, visitor: Visitor):
    uri = "https://app.example/cb"
    docs.flow.register({"client_name": "Hosted", "redirect_uris": [uri], "token_endpoint_auth_method": "none"})
    docs.flow.answer(visitor.decide(docs.url(redirect_uri=uri)))
    assert visitor.open(docs.url(redirect_uri=uri)).status_code == 303
    docs.change(tools=(*docs.resource.tools, tool("find_doc", "docs:read", Risk.READ)))
    page = visitor.open(docs.url(redirect_uri=uri))
    assert page.status_code == 200
    assert "find_doc" in ticked(page)


def test_a_tool_that_a_guard_asks_for_is_preselected_and_nothing_else_that_is_new(docs: Docs, visitor: Visitor):
    accepted(docs, visitor)
    page = visitor.open(docs.url(scope="docs:read docs:delete tool:delete_doc"))
    assert ticked(page) == {"list_docs", "read_doc", "delete_doc"}
    assert ticked(page, "scope") == {"docs:read", "docs:delete"}
    claims = accepted(docs, visitor, scope="docs:read docs:delete tool:delete_doc")
    assert claims["scope"] == "docs:read docs:delete"
    assert "delete_doc" in tools_of(claims)
    assert "wipe_all" not in tools_of(claims)


def test_a_guard_that_asks_is_never_answered_by_a_token_that_lacks_it(docs: Docs, visitor: Visitor):
    accepted(docs, visitor)
    url = docs.url(scope="docs:read docs:delete tool:delete_doc")
    assert docs.flow.answer(visitor.decide(url, tools={"list_docs"}))["error"] == "access_denied"
    assert (
        docs.flow.answer(visitor.decide(url, scopes={"docs:read"}, tools={"list_docs", "delete_doc"}))["error"]
        == "access_denied"
    )
    assert "delete_doc" not in tools_of(claims_of(docs.flow.refresh().json))


def test_a_tool_that_only_its_guard_knows_is_said_to_be_unknown_and_can_be_allowed(docs: Docs, visitor: Visitor):
    accepted(docs, visitor)
    page = visitor.open(docs.url(scope="docs:read tool:brand_new"))
    assert "Tools that nobody here knows" in page.text
    assert "brand_new" in tools_of(accepted(docs, visitor, scope="docs:read tool:brand_new"))
    docs.change(tools=(*docs.resource.tools, tool("brand_new", "docs:read", Risk.READ, Mark.NEW)))
    assert "brand_new" not in tools_of(claims_of(docs.flow.refresh().json)), "what it is now, nobody has agreed to"
    assert "brand_new" not in ticked(visitor.open(docs.url(prompt="consent")))


def test_a_page_says_the_same_on_every_node_whatever_the_order_of_its_tools(docs: Docs, visitor: Visitor):
    names = [f"tool:{letter}" for letter in "hgfedcba"]
    pages = [visitor.open(docs.url(scope=" ".join(["docs:read", *order]))) for order in (names, names[::-1])]
    shown = {dict(consent(page).fields)["shown"] for page in pages}
    assert len(shown) == 1
    assert [value for name, value in consent(pages[0]).boxes if name == "tool"][:8] == list("abcdefgh")


def test_what_is_allowed_for_a_while_ends_by_itself(docs: Docs, visitor: Visitor, monkeypatch):
    url = docs.url(scope="docs:read docs:delete")
    answer = visitor.decide(url, tools={"list_docs", "delete_doc"}, filled={"term:delete_doc": "while"})
    docs.flow.answer(answer)
    response = docs.flow.token().json
    assert "delete_doc" in tools_of(claims_of(response))
    assert response["expires_in"] == 600
    tools = docs.site.deployment.token.tools
    authority = docs.site.deployment.stores.access_tokens.authority
    stands = authority(TokenId.parse(claims_of(response)["jti"]))
    now = claims_of(response)["iat"]
    assert tools.of(stands, stands.scopes, now + 3500).ends - now in range(3595, 3601)
    names = {name for detail in tools.of(stands, stands.scopes, now + 3601).details for name in detail["tools"]}
    assert names == {"list_docs"}


def test_a_token_ends_with_the_first_permission_in_it(docs: Docs, visitor: Visitor, monkeypatch):
    monkeypatch.setattr("authserver.services.tool_choices.WHILE_SECONDS", 60)
    url = docs.url(scope="docs:read docs:delete")
    began = time.monotonic()
    docs.flow.answer(visitor.decide(url, tools={"delete_doc"}, filled={"term:delete_doc": "while"}))
    response = docs.flow.token().json
    assert 59 - (time.monotonic() - began) <= response["expires_in"] <= 60
    assert claims_of(response)["exp"] - claims_of(response)["iat"] == response["expires_in"]


def test_a_person_can_limit_what_a_tool_is_called_with(docs: Docs, visitor: Visitor):
    limit = {"argument:read_doc": "path", "kind:read_doc": "under", "limit:read_doc": "/work, /play"}
    claims = token(docs, visitor.decide(docs.url(), filled=limit))
    found = {detail["tools"][0]: detail.get("limits") for detail in claims["authorization_details"]}
    assert found == {
        "list_docs": None,
        "read_doc": {"/path": {"under": ["/play", "/work"]}, "/count": {"optional": True}},
    }
    assert "only in /play or /work" in visitor.open(docs.url(prompt="consent")).text
    assert tools_of(accepted(docs, visitor, prompt="consent")) == {"list_docs", "read_doc"}
    assert claims_of(docs.flow.refresh().json)["authorization_details"] == claims["authorization_details"]


@pytest.mark.parametrize(
    "limit",
    [
        {"argument:read_doc": "path", "kind:read_doc": "under", "limit:read_doc": "../x"},
        {"argument:read_doc": "count", "kind:read_doc": "values", "limit:read_doc": "1"},
        {"argument:read_doc": "nothing", "kind:read_doc": "values", "limit:read_doc": "1"},
        {"argument:read_doc": "path", "kind:read_doc": "matches", "limit:read_doc": "[z-a]"},
    ],
)
def test_a_limit_that_cannot_be_used_is_said_so_and_nothing_is_lost(docs: Docs, visitor: Visitor, limit):
    page = visitor.decide(docs.url(), tools={"read_doc"}, filled=limit)
    assert page.status_code == 400
    assert "The tool read_doc" in re.sub("<[^>]+>", "", page.text)
    assert ticked(page) == {"read_doc"}
    assert f'value="{limit["limit:read_doc"]}"' in page.text


def test_an_administrators_limit_holds_for_all_and_is_only_narrowed(docs: Docs, visitor: Visitor):
    policy = Way.limited({"/path": {"under": ["/work"]}})
    tools = [replace(one, policy=policy) if one.name == "read_doc" else one for one in docs.resource.tools]
    docs.change(tools=tuple(tools))
    claims = accepted(docs, visitor)
    found = {detail["tools"][0]: detail.get("limits") for detail in claims["authorization_details"]}
    assert found["read_doc"] == {"/path": {"under": ["/work"]}}
    limit = {"argument:read_doc": "path", "kind:read_doc": "under"}
    wider = visitor.decide(docs.url(prompt="consent"), filled={**limit, "limit:read_doc": "/"})
    assert (wider.status_code, "further than that" in wider.text) == (400, True)
    docs.change(tools=tuple(replace(one, policy=Way.limited({"/path": {"under": ["/x"]}})) for one in tools))
    later = claims_of(docs.flow.refresh().json)["authorization_details"]
    assert all(detail["limits"] == {"/path": {"under": ["/x"]}} for detail in later)


@pytest.mark.requirement("AZ-13")
def test_only_what_reads_is_one_click_and_a_search_loses_nothing(docs: Docs, visitor: Visitor):
    docs.change(tools=tuple(tool(f"tool_{n}", "docs:read", Risk.READ if n % 2 else Risk.WRITE) for n in range(118)))
    page = visitor.open(docs.url())
    reading = visitor.submit(page, consent(page), {"decision": "reading"})
    assert ticked(reading) == {f"tool_{n}" for n in range(1, 118, 2)}
    sent = {"scope": ["docs:read"], "tool": ["tool_1", "tool_2"], "decision": "search", "sought": "tool_11"}
    found = visitor.submit(reading, consent(reading), sent)
    assert {value for name, value in consent(found).boxes if name == "tool"} == {"tool_11"} | {
        f"tool_11{n}" for n in range(8)
    }
    assert ticked(found) == {"tool_1", "tool_2"}
    docs.flow.answer(visitor.submit(found, consent(found), {"decision": "allow", "scope": ["docs:read"]}))
    assert tools_of(claims_of(docs.flow.token().json)) == {"tool_1", "tool_2"}


def test_more_tools_than_a_token_can_name_are_not_allowed_at_once(docs: Docs, visitor: Visitor):
    docs.change(tools=tuple(tool(f"a_tool_with_a_long_name_{n}", "docs:read", Risk.READ) for n in range(300)))
    page = visitor.decide(docs.url())
    assert page.status_code == 400
    assert "than a token can hold" in page.text


def test_a_client_for_itself_gets_the_tools_that_an_administrator_agreed_to(docs: Docs):
    resource = replace(docs.resource, tools=(*docs.resource.tools, tool("new_doc", "docs:read", Risk.READ, Mark.NEW)))
    docs.change(tools=resource.tools)
    authority = ClientAuthority("job", docs.resource.identifier, tuple(scope.name for scope in SCOPES))
    found = docs.site.deployment.token.tools.of(authority, ("docs:read",), 0)
    assert [detail["tools"] for detail in found.details] == [["list_docs", "read_doc"]]


@pytest.mark.requirement("AZ-13")
def test_a_tool_that_changes_while_the_page_is_open_is_shown_again(docs: Docs, visitor: Visitor):
    page = visitor.open(docs.url())
    docs.marked("read_doc", Mark.CHANGED)
    again = visitor.submit(page, consent(page), {"decision": "allow", "scope": ["docs:read"], "tool": ["read_doc"]})
    assert again.status_code == 409
