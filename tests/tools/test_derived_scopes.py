"""Scopes that stand for a permission: none is forged, stale, or asked for ever."""

from dataclasses import replace

import pytest

from authserver.protocol import catalogue
from authserver.protocol.scope import Risk, Scope
from authserver.protocol.tool import Mark
from authserver.protocol.way import Way
from authserver.services.tool_catalogue.placement import Placement
from tests.conformance.site import ISSUER
from tests.conformance.visitor import Visitor
from tests.tools.attack import asked, refreshed
from tests.tools.conftest import SCOPES, Docs, claims_of, tools_of
from tests.tools.test_consent import accepted, token

pytestmark = pytest.mark.requirement("EX-7")


def test_a_guard_that_asks_for_a_tool_that_is_gone_here_is_not_asked_for_ever(docs: Docs, visitor: Visitor):
    """guard.md: meeting a challenge lets the request through, or the client gets a no."""
    accepted(docs, visitor)
    docs.marked("read_doc", Mark.GONE, "w")
    answer = docs.flow.answer(visitor.accept(docs.url(scope="docs:read tool:read_doc")))
    assert "error" in answer or "read_doc" in tools_of(claims_of(docs.flow.token().json))


def test_a_limit_that_the_administrator_narrowed_since_does_not_close_the_tool_for_ever(docs: Docs, visitor: Visitor):
    """The old limit goes on standing, is in no token, and the challenge for the tool changes nothing: a loop."""
    limit = {"argument:read_doc": "path", "kind:read_doc": "under", "limit:read_doc": "/work"}
    token(docs, visitor.decide(docs.url(), filled=limit))
    policy = Way.limited({"/path": {"under": ["/work/public"]}, "/count": {"optional": True}})
    docs.change(
        tools=tuple(replace(one, policy=policy) if one.name == "read_doc" else one for one in docs.resource.tools)
    )
    assert "read_doc" not in tools_of(refreshed(docs))
    answer = docs.flow.answer(visitor.accept(docs.url(scope="docs:read tool:read_doc")))
    assert "error" in answer or "read_doc" in tools_of(claims_of(docs.flow.token().json))


def test_no_scope_of_a_server_has_a_name_that_stands_for_a_permission(docs: Docs):
    """guard.md: no token has derived scopes in its own scope."""
    for name in ("tool:delete_doc", "tool:delete_doc:once", "limit:x"):
        named = replace(docs.resource, scopes=(*SCOPES, Scope(name, "Something", Risk.READ)))
        assert list(catalogue.flaws(named, ISSUER)), name


def test_no_scope_of_that_kind_is_proposed_for_a_server_that_is_called_tool(docs: Docs):
    for scopes in ((), (Scope("tool:read", "From before that was refused", Risk.READ),)):
        named = replace(docs.resource, name="Tool", scopes=scopes, tools=())
        assert Placement(named).place("write_doc", Risk.WRITE).name == "tools:write"


def test_a_client_without_a_person_learns_nothing_of_tools(docs: Docs, site):
    answers = []
    for name in ("wipe_all", "nothing_like_it"):
        found = site.get(docs.url(authorization_details=asked(docs, name)))
        answers.append((found.status_code, "invalid_authorization_details" in (found.location or "")))
    assert answers[0] == answers[1], "whoever has no account can try names of tools"


def test_details_of_a_tool_that_is_gone_are_refused_to_the_client(docs: Docs, visitor: Visitor):
    """What cannot be had is refused (RFC 9396 §5), as it is of a tool that was never there."""
    docs.marked("read_doc", Mark.GONE, "w")
    answer = docs.flow.answer(visitor.accept(docs.url(authorization_details=asked(docs, "read_doc"))))
    assert answer.get("error") == "invalid_authorization_details"
