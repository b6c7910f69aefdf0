"""Limits and decisions hold however catalogues, policies and permissions change."""

from dataclasses import replace

import pytest

from authserver.protocol.access_token import TokenId
from authserver.protocol.tool import Mark
from authserver.protocol.way import Way
from authserver.services import tool_details
from authserver.services.tool_details import ToolDetailing
from tests.conformance.visitor import Visitor
from tests.tools.attack import DELETING, refreshed, ways
from tests.tools.conftest import Docs, tools_of
from tests.tools.test_consent import accepted, token

pytestmark = pytest.mark.requirement("EX-7")


def test_whoever_allows_a_call_besides_keeps_what_was_allowed(docs: Docs, visitor: Visitor):
    """limits.md: who allows it allows it besides what was allowed already."""
    limit = {"argument:read_doc": "path", "kind:read_doc": "under", "limit:read_doc": "/work"}
    claims = token(docs, visitor.decide(docs.url(), filled=limit))
    standing = ways(claims, "read_doc")
    guard = docs.guard()
    for number in range(20):
        scope = guard.challenge(claims, limits={"/path": {"values": [str(number)]}}).json["scope"]
        claims = token(docs, visitor.accept(docs.url(scope=f"docs:read {scope}")))
    assert standing[0] in ways(claims, "read_doc")


def test_a_permission_for_an_hour_can_become_a_lasting_one(docs: Docs, visitor: Visitor):
    """The page offers 'As long as the app is connected', preselected; the token ends with the hour."""
    url = docs.url(scope=DELETING)
    token(docs, visitor.decide(url, tools={"list_docs", "delete_doc"}, filled={"term:delete_doc": "while"}))
    lasting = {"term:delete_doc": "lasting"}
    token(
        docs,
        visitor.decide(docs.url(scope=DELETING, prompt="consent"), tools={"list_docs", "delete_doc"}, filled=lasting),
    )
    claims = refreshed(docs)
    stands = docs.site.deployment.stores.access_tokens.authority(TokenId.parse(claims["jti"]))
    later = docs.site.deployment.token.tools.of(stands, stands.scopes, claims["iat"] + 3601).details
    assert "delete_doc" in tools_of({"authorization_details": later})


def test_what_an_administrator_narrowed_is_in_no_new_token(docs: Docs, visitor: Visitor):
    """limits.md: when the administrator narrows a limit, what people allowed beyond it is in no new token."""
    accepted(docs, visitor)
    policy = Way.limited({"/path": {"under": ["/work"]}})
    docs.change(
        tools=tuple(replace(one, policy=policy) if one.name == "read_doc" else one for one in docs.resource.tools)
    )
    assert [way["limits"] for way in ways(refreshed(docs), "read_doc")] == [{"/path": {"under": ["/work"]}}]


def test_a_changed_tool_is_in_no_new_token(docs: Docs, visitor: Visitor):
    """tools.md: a tool that is changed is in no new token until you agree to it."""
    accepted(docs, visitor)
    docs.marked("read_doc", Mark.CHANGED)
    assert tools_of(refreshed(docs)) == {"list_docs"}


def test_details_of_a_catalogue_that_was_are_not_kept_for_the_one_that_is(docs: Docs, visitor: Visitor):
    """A token request on one thread and a change of the catalogue on another: what is kept must not outlive it."""
    claims = accepted(docs, visitor)
    detailing = ToolDetailing(docs.site.deployment.stores.resources)
    stands = docs.site.deployment.stores.access_tokens.authority(TokenId.parse(claims["jti"]))
    make = tool_details._make
    begun: list[bool] = []

    def slow(known, authority, scopes, now, closed):
        found = make(known, authority, scopes, now, closed)
        if not begun:
            begun.append(True)
            docs.marked("read_doc", Mark.CHANGED)
            # Another thread's request, which sees the change.
            detailing.of(replace(authority, tools=None), scopes, now)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tool_details, "_make", slow)
        detailing.of(stands, stands.scopes, claims["iat"])
    later = detailing.of(stands, stands.scopes, claims["iat"]).details
    assert "read_doc" not in tools_of({"authorization_details": later})
