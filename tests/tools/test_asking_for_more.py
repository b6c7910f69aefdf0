"""Asking for more: challenges of limits by scopes that clients echo, and ``authorization_details`` (RFC 9396, EX-7)."""

import json
from dataclasses import replace
from typing import Any

import pytest

from authserver.protocol.way import Way
from tests.conformance.visitor import Visitor
from tests.tools.conftest import Docs, claims_of, tools_of
from tests.tools.test_consent import consent, ticked

pytestmark = pytest.mark.requirement("EX-7")
LIMIT = {"argument:read_doc": "path", "kind:read_doc": "under", "limit:read_doc": "/work"}
WORK = {"/path": {"under": ["/work"]}, "/count": {"optional": True}}


def limited(docs: Docs, visitor: Visitor) -> dict[str, Any]:
    docs.flow.answer(visitor.decide(docs.url(), filled=LIMIT))
    return claims_of(docs.flow.token().json)


def limits_of(claims: dict[str, Any], tool: str = "read_doc") -> list[Any]:
    return [detail.get("limits") for detail in claims["authorization_details"] if tool in detail["tools"]]


def detail(docs: Docs, **changes: object) -> str:
    found = {"type": "mcp_tool", "locations": [docs.resource.identifier], "tools": ["read_doc"], **changes}
    return json.dumps([{name: value for name, value in found.items() if value is not None}])


@pytest.mark.requirement("AZ-5", "RS-11")
def test_a_call_outside_its_limits_is_asked_for_by_a_scope_and_allowed_besides(docs: Docs, visitor: Visitor):
    claims = limited(docs, visitor)
    scope = docs.guard().challenge(claims).json["scope"]
    page = visitor.open(docs.url(scope=f"docs:read {scope}"))
    assert "asked for now" in page.text
    assert "/etc/x" in page.text
    assert "read_doc" in ticked(page)
    docs.flow.answer(visitor.accept(docs.url(scope=f"docs:read {scope}")))
    response = docs.flow.token().json
    assert limits_of(claims_of(response)) == [WORK, {"/path": {"values": ["/etc/x"]}}]
    assert response["scope"] == "docs:read"


@pytest.mark.requirement("AZ-5")
def test_a_challenge_that_is_not_this_persons_or_clients_or_servers_is_dropped(docs: Docs, visitor: Visitor, docs_on):
    scope = docs.guard().challenge(limited(docs, visitor)).json["scope"]
    other = docs_on(docs.site)
    assert "/etc/x" not in visitor.open(other.url(scope=f"docs:read {scope}")).text
    assert "/etc/x" not in Visitor(docs.site, "root").open(docs.url(scope=f"docs:read {scope}")).text
    docs.flow.register()
    assert "/etc/x" not in visitor.open(docs.url(scope=f"docs:read {scope}")).text
    assert visitor.open(docs.url(scope="docs:read limit:unknown")).status_code == 200


def test_who_says_no_to_it_gives_the_client_a_no(docs: Docs, visitor: Visitor):
    scope = docs.guard().challenge(limited(docs, visitor)).json["scope"]
    answer = visitor.decide(docs.url(scope=f"docs:read {scope}"), tools={"list_docs"})
    assert docs.flow.answer(answer)["error"] == "access_denied"
    assert limits_of(claims_of(docs.flow.refresh().json)) == [WORK]


def test_no_guard_asks_for_what_an_administrator_forbids(docs: Docs, visitor: Visitor):
    claims = limited(docs, visitor)
    policy = Way.limited({"/path": {"under": ["/work"]}}, additional=True)
    docs.marked("read_doc", docs.resource.tools[1].mark, "w")
    docs.change(tools=tuple(replace(one, policy=policy) for one in docs.resource.tools))
    refused = docs.guard().challenge(claims)
    assert (refused.status_code, refused.json["error"]) == (400, "invalid_authorization_details")


@pytest.mark.parametrize(
    "changes",
    [
        {"tools": ["read_doc", "list_docs"]},
        {"locations": ["https://other.example"]},
        {"once": "x" * 22},
        {"type": "other"},
        {"limits": {"/path": {"under": ["../x"]}}},
        {"surprise": 1},
    ],
)
def test_a_challenge_that_is_not_understood_is_refused(docs: Docs, visitor: Visitor, changes):
    refused = docs.guard().challenge(limited(docs, visitor), **changes)
    assert (refused.status_code, refused.json["error"]) == (400, "invalid_authorization_details")


def test_challenges_of_one_grant_are_bounded(docs: Docs, visitor: Visitor, monkeypatch):
    monkeypatch.setattr("authserver.store.tool_permissions.MOST_WAITING", 3)
    claims, guard = limited(docs, visitor), docs.guard()
    asked = [{"limits": {"/path": {"values": [str(n)]}}} for n in (1, 2, 3, 3, 4)]
    answers = [guard.challenge(claims, **one) for one in asked]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 400]
    assert answers[2].json == answers[3].json, "a client sees that it has met it before"


@pytest.mark.requirement("AZ-8")
def test_a_client_may_ask_by_authorization_details_and_gets_what_it_asked_for(docs: Docs, visitor: Visitor):
    url = docs.url(scope="", authorization_details=detail(docs, limits={"/path": {"under": ["/work"]}}))
    page = visitor.open(url)
    assert "only in /work" in page.text
    assert ticked(page) == {"read_doc"}
    docs.flow.answer(visitor.accept(url))
    response = docs.flow.token().json
    assert response["scope"] == "docs:read"
    assert response["authorization_details"] == json.loads(detail(docs, limits={"/path": {"under": ["/work"]}}))


def test_what_stands_already_is_not_narrowed_by_asking_for_less(docs: Docs, visitor: Visitor):
    docs.flow.answer(visitor.accept(docs.url()))
    docs.flow.token()
    url = docs.url(authorization_details=detail(docs, limits={"/path": {"under": ["/work"]}}))
    docs.flow.answer(visitor.accept(url))
    assert tools_of(claims_of(docs.flow.token().json)) == {"list_docs", "read_doc"}


@pytest.mark.parametrize(
    "asked",
    [
        "no JSON",
        "{}",
        "[]",
        "[1]",
        '[{"type": "payment"}]',
        '[{"type": "mcp_tool"}]',
        '[{"type": "mcp_tool", "type": "mcp_tool"}]',
        json.dumps([{"type": "mcp_tool", "locations": ["https://other.example"], "tools": ["read_doc"]}]),
        "[" * 1000,
    ],
)
def test_details_that_are_not_understood_are_refused_to_the_client(docs: Docs, visitor: Visitor, asked):
    answer = docs.flow.answer(visitor.open(docs.url(authorization_details=asked)))
    assert answer["error"] == "invalid_authorization_details"


@pytest.mark.parametrize("changes", [{"tools": ["nothing"]}, {"once": "x" * 22}, {"actions": ["read"]}])
def test_details_of_this_server_that_cannot_be_had_are_refused_too(docs: Docs, visitor: Visitor, changes):
    answer = docs.flow.answer(visitor.open(docs.url(authorization_details=detail(docs, **changes))))
    assert answer["error"] == "invalid_authorization_details"


@pytest.mark.requirement("DI-4")
def test_the_metadata_names_the_type_and_where_its_schema_is(docs: Docs):
    metadata = docs.site.get("/.well-known/oauth-authorization-server").json
    assert metadata["authorization_details_types_supported"] == ["mcp_tool"]
    path = metadata["authorization_details_types_metadata_endpoint"].removeprefix(metadata["issuer"])
    answer = docs.site.get(path)
    assert answer.json["mcp_tool"]["schema"]["properties"]["type"] == {"const": "mcp_tool"}
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_the_form_of_a_challenge_says_what_is_asked(docs: Docs, visitor: Visitor):
    scope = docs.guard().challenge(limited(docs, visitor)).json["scope"]
    page = visitor.open(docs.url(scope=f"docs:read {scope}"))
    assert consent(page).checked.count(("tool", "read_doc")) == 1
