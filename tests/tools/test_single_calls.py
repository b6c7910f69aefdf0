"""Permissions for a single call: given on the page, used up by the guard, gone then (EX-7, RS-11)."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from authserver.protocol.tool import Mark
from authserver.store.audit import AuditFilter
from tests.conformance.visitor import Visitor
from tests.tools.conftest import EVENT, Docs, Guard, claims_of, tools_of
from tests.tools.test_consent import ticked

pytestmark = pytest.mark.requirement("EX-7", "RS-11")
ONCE = "docs:read docs:delete tool:delete_doc:once"


def permitted(docs: Docs, visitor: Visitor, guard: Guard | None = None) -> tuple[dict[str, Any], str]:
    """The claims of a token for one call of delete_doc, and the permission's name; *guard* announces it, if given."""
    if guard is not None:
        docs.flow.answer(visitor.accept(docs.url()))
        assert guard.announce(claims_of(docs.flow.token().json), "delete_doc", once="true").json == {
            "scope": "tool:delete_doc:once"
        }
    docs.flow.answer(visitor.accept(docs.url(scope=ONCE)))
    claims = claims_of(docs.flow.token().json)
    found = [detail["once"] for detail in claims["authorization_details"] if detail["tools"] == ["delete_doc"]]
    return claims, found[0]


def test_it_is_good_for_one_call_and_gone_from_the_next_token(docs: Docs, visitor: Visitor):
    guard = docs.guard()
    claims, permission = permitted(docs, visitor, guard)
    assert guard.consume(claims, permission).json == {"consumed": True}
    assert guard.consume(claims, permission).json == {"consumed": False}
    assert "delete_doc" not in tools_of(claims_of(docs.flow.refresh().json))


def test_of_fifty_uses_at_once_one_is_told_yes(docs: Docs, visitor: Visitor):
    guard = docs.guard()
    claims, permission = permitted(docs, visitor, guard)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: guard.consume(claims, permission).json["consumed"], range(50)))
    assert answers.count(True) == 1


def test_each_consent_gives_another_one(docs: Docs, visitor: Visitor):
    guard = docs.guard()
    first, permission = permitted(docs, visitor, guard)
    guard.consume(first, permission)
    second, other = permitted(docs, visitor, guard)
    assert other != permission
    assert guard.consume(second, other).json == {"consumed": True}


def test_it_ends_after_ten_minutes_with_its_token(docs: Docs, visitor: Visitor, monkeypatch):
    monkeypatch.setattr("authserver.services.tool_choices.ONCE_SECONDS", 100)
    claims, _ = permitted(docs, visitor)
    assert claims["exp"] - claims["iat"] <= 100


def test_a_revoked_grant_permits_nothing(docs: Docs, visitor: Visitor):
    guard = docs.guard()
    claims, permission = permitted(docs, visitor, guard)
    stores = docs.site.deployment.stores
    for grant in stores.grants.for_user(claims["sub"]):
        if grant.resource == docs.resource.identifier:
            stores.grants.revoke(grant.id, EVENT)
    assert guard.consume(claims, permission).json == {"consumed": False}


def test_it_is_worth_nothing_without_the_scopes_of_its_tool(docs: Docs, visitor: Visitor):
    guard = docs.guard()
    claims, permission = permitted(docs, visitor, guard)
    stores = docs.site.deployment.stores
    [grant] = [one for one in stores.grants.for_user(claims["sub"]) if one.resource == docs.resource.identifier]
    stores.grants.withdraw(grant.id, ["docs:delete"], EVENT)
    assert guard.consume(claims, permission).json == {"consumed": False}


@pytest.mark.parametrize("mark", [Mark.CHANGED, Mark.GONE])
def test_it_waits_while_its_tool_does(docs: Docs, visitor: Visitor, mark):
    guard = docs.guard()
    claims, permission = permitted(docs, visitor, guard)
    docs.marked("delete_doc", mark)
    assert guard.consume(claims, permission).json == {"consumed": False}
    docs.marked("delete_doc", Mark.AGREED)
    assert guard.consume(claims, permission).json == {"consumed": True}


def test_another_servers_guard_uses_up_nothing(docs: Docs, visitor: Visitor, docs_on, site):
    claims, permission = permitted(docs, visitor)
    assert docs_on(site).guard().consume(claims, permission).json == {"consumed": False}
    assert docs.guard().consume(claims, permission).json == {"consumed": True}


def test_it_is_of_its_tool_and_grant_alone(docs: Docs, visitor: Visitor):
    guard = docs.guard()
    claims, permission = permitted(docs, visitor, guard)
    assert guard.consume(claims, permission, tool="wipe_all").json == {"consumed": False}
    docs.flow.register()
    others = claims_of(docs.flow.tokens(visitor, scope="docs:read"))
    assert guard.consume(others, permission).json == {"consumed": False}
    assert guard.consume(claims, permission).json == {"consumed": True}


def test_only_guards_are_answered(docs: Docs, visitor: Visitor):
    claims, permission = permitted(docs, visitor)
    form = {"jti": claims["jti"], "permission": permission, "tool": "delete_doc", "arguments_digest": "a" * 43}
    for path in ("/tool-permission", "/tool-challenge"):
        answer = docs.site.post(path, data={**form, "client_id": docs.flow.values["client_id"]})
        assert (answer.status_code, answer.json["error"]) == (400, "unauthorized_client")
        assert docs.site.get(path).status_code == 405


@pytest.mark.parametrize(
    "changes",
    [
        {"jti": "x"},
        {"jti": "client.x"},
        {"tool": "a b"},
        {"tool": "x" * 300},
        {"arguments_digest": "short"},
        {"jti": ""},
    ],
)
def test_what_is_malformed_is_refused_in_the_protocols_form(docs: Docs, changes):
    form = {"jti": "f.x", "permission": "p", "tool": "t", "arguments_digest": "a" * 43, **changes}
    answer = docs.guard().say("/tool-permission", **form)
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")


def test_uses_and_refused_uses_are_in_the_audit_trail(docs: Docs, visitor: Visitor):
    guard = docs.guard()
    claims, permission = permitted(docs, visitor, guard)
    for _ in range(2):
        guard.consume(claims, permission)
    about = AuditFilter(name="tool_permission.used", resource=docs.resource.identifier)
    events = [line.event for line in docs.site.deployment.stores.audit.page(about, None, 10).lines]
    assert [event.outcome for event in events] == ["refused", "success"]
    assert {event.user_id for event in events} == {claims["sub"]}
    assert events[0].detail["tool"] == "delete_doc"
    assert len(events[0].detail["arguments_digest"]) == 43


def test_the_page_offers_a_single_call_only_where_a_guard_can_use_it_up(docs: Docs, visitor: Visitor):
    url = docs.url(scope="docs:delete")
    assert 'value="once"' not in visitor.open(url).text
    docs.guard()
    assert 'value="once"' in visitor.open(url).text
    docs.flow.answer(visitor.decide(url, tools={"wipe_all"}, filled={"term:wipe_all": "once"}))
    details = claims_of(docs.flow.token().json)["authorization_details"]
    assert [set(detail) >= {"once"} for detail in details] == [True]


def test_a_guard_of_a_server_that_is_gone_is_told_so(docs: Docs, visitor: Visitor):
    guard: Guard = docs.guard()
    claims, permission = permitted(docs, visitor, guard)
    docs.site.deployment.stores.resources.remove(docs.resource.identifier, EVENT)
    assert guard.consume(claims, permission).json["error"] == "invalid_target"


def test_what_a_client_sends_along_from_an_earlier_challenge_asks_for_nothing(docs: Docs, visitor: Visitor):
    guard = docs.guard()
    claims, permission = permitted(docs, visitor, guard)
    guard.consume(claims, permission)
    stale = f"{ONCE} docs:write tool:wipe_all"
    guard.announce(claims, "wipe_all")
    page = visitor.open(docs.url(scope=stale))
    assert ticked(page) == {"list_docs", "read_doc", "wipe_all"}
    docs.flow.answer(visitor.accept(docs.url(scope=stale)))
    again = claims_of(docs.flow.token().json)
    assert tools_of(again) == {"list_docs", "read_doc", "wipe_all"}
    assert "asked for now" not in visitor.open(docs.url(scope=stale)).text


def test_a_challenge_is_answered_by_a_no_as_well(docs: Docs, visitor: Visitor):
    guard = docs.guard()
    docs.flow.answer(visitor.accept(docs.url()))
    guard.announce(claims_of(docs.flow.token().json), "delete_doc", once="true")
    assert "delete_doc" in ticked(visitor.open(docs.url(scope=ONCE)))
    visitor.decide(docs.url(scope=ONCE), "deny")
    page = visitor.open(docs.url(scope=f"{ONCE} docs:write"))
    assert ticked(page, "scope") == {"docs:read", "docs:write"}
    assert "asked for now" not in page.text
