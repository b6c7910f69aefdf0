"""However much is asked, allowed or sent: no token that no server takes, no error of ours."""

from dataclasses import replace
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import pytest

from authserver.protocol.scope import Risk, Scope
from authserver.protocol.way import Way
from tests.conformance.visitor import Visitor
from tests.tools.attack import DELETING, HOSTED, asked, hosted, redeemed
from tests.tools.conftest import EVENT, Docs, tool
from tests.tools.test_consent import accepted, consent

pytestmark = pytest.mark.requirement("EX-7")


def length(response: Any) -> int:
    """That of the token; 0 where the client is told to start anew, and its person to untick some."""
    if response.json.get("error") == "invalid_grant":
        assert "ask for fewer" in response.json["error_description"]
        return 0
    assert response.status_code == 200, response.text
    return len(response.json["access_token"])


def test_tools_that_only_guards_know_do_not_add_up_to_a_token_that_no_server_takes(docs: Docs, visitor: Visitor):
    """Decision 8: a token stays below the 8 KiB that servers take in a header."""
    accepted(docs, visitor)
    for part in range(4):
        names = " ".join(f"tool:{part}_{number}_{'x' * 180}" for number in range(20))
        answer = visitor.accept(docs.url(scope=f"docs:read {names}"))
        if answer.status_code == 400:
            break
        docs.flow.answer(answer)
        docs.flow.token()
    assert length(docs.flow.refresh()) < 8192


def test_limits_of_the_administrator_do_not_make_tokens_that_no_server_takes(docs: Docs, visitor: Visitor):
    tools = tuple(tool(f"read_number_{number}", "docs:read", Risk.READ) for number in range(118))
    docs.change(tools=tools)
    accepted(docs, visitor)
    limits = [Way.limited({"/path": {"under": [f"/work/{n}"]}, "/count": {"optional": True}}) for n in range(118)]
    docs.change(tools=tuple(replace(one, policy=way) for one, way in zip(tools, limits, strict=True)))
    assert length(docs.flow.refresh()) < 8192


def test_a_connection_from_before_has_no_token_that_no_server_takes(docs: Docs, visitor: Visitor):
    docs.change(tools=())
    accepted(docs, visitor)
    docs.change(tools=tuple(tool(f"read_a_document_number_{number}", "docs:read", Risk.READ) for number in range(400)))
    assert length(docs.flow.refresh()) < 8192


def test_many_scopes_and_tools_together_make_no_token_that_no_server_takes(docs: Docs, visitor: Visitor):
    scopes = tuple(Scope(f"docs:{'read' * 8}:{number}", "Read", Risk.READ, is_default=True) for number in range(60))
    docs.change(
        scopes=scopes,
        tools=tuple(tool(f"tool_{number}_{'x' * 20}", scopes[number % 60].name, Risk.READ) for number in range(130)),
    )
    answer = visitor.accept(docs.url(scope=None))
    if answer.status_code != 400:
        docs.flow.answer(answer)
        assert length(docs.flow.token()) < 8192


def _is_sent(found: dict[str, str]) -> bool:
    return found.get("type") != "checkbox" or "checked" in found


def as_a_browser(page: Any, decision: str) -> dict[str, Any]:
    """All that a browser sends of the consent page: hidden fields, ticked boxes, selects and texts."""
    sent: dict[str, list[str]] = {}

    class Fields(HTMLParser):
        select, first = "", False

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found = {name: value or "" for name, value in attrs}
            if tag == "select":
                self.select, self.first = found["name"], True
            elif tag == "option" and self.select and (self.first or "selected" in found):
                sent[self.select] = [found.get("value", "path")]
                self.first = False
            elif tag == "input" and found.get("name", "next") != "next" and _is_sent(found):
                sent.setdefault(found["name"], []).append(found.get("value", ""))

    Fields().feed(page.text)
    return {**sent, "decision": decision}


@pytest.mark.parametrize(("count", "decision"), [(118, "deny"), (400, "deny"), (400, "reading"), (1000, "deny")])
def test_the_page_of_many_tools_can_be_answered_by_a_browser(docs: Docs, visitor: Visitor, count, decision):
    """tools.md, bounds: 1,000 tools; of many a search shows some and loses nothing."""
    docs.change(tools=tuple(tool(f"read_the_documents_of_{number}", "docs:read", Risk.READ) for number in range(count)))
    page = visitor.open(docs.url())
    answer = visitor.submit(page, consent(page), as_a_browser(page, decision))
    assert answer.status_code in (200, 303), (
        answer.status_code,
        len(urlencode(as_a_browser(page, decision), doseq=True)),
    )


def test_whoever_is_remembered_meets_no_error_when_the_permission_has_grown(docs: Docs, visitor: Visitor):
    hosted(docs)
    tools = tuple(tool(f"read_number_{number}", "docs:read", Risk.READ) for number in range(118))
    docs.change(tools=tools)
    url = docs.url(redirect_uri=HOSTED)
    redeemed(docs, visitor.decide(url))
    assert visitor.open(url).status_code == 303
    limits = [Way.limited({"/path": {"under": [f"/work/{n}"]}}, additional=True) for n in range(118)]
    docs.change(tools=tuple(replace(one, policy=way) for one, way in zip(tools, limits, strict=True)))
    assert visitor.open(url).status_code == 400
    silent = visitor.open(docs.url(redirect_uri=HOSTED, prompt="none"))
    assert docs.flow.answer(silent)["error"] == "consent_required"


ODD: tuple[object, ...] = (
    "\ud800", "\x00", 10**400, 1e300, -0.0, [], {}, [[]], [None], True, "a" * 3000, {"a": {"b": {}}}, ["\u202e"],
)  # fmt: skip
MEMBERS = ("type", "locations", "tools", "limits", "additional", "once", "actions")


@pytest.mark.parametrize("member", MEMBERS)
def test_odd_details_are_no_error_of_ours(docs: Docs, visitor: Visitor, member):
    for odd in ODD:
        for value in (odd, [odd], {"/path": odd}, {"/path": {"values": [odd]}}, {"/path": {"under": [odd]}}):
            url = docs.url(authorization_details=asked(docs, "read_doc", **{member: value}))
            assert visitor.open(url).status_code < 500, value


def test_odd_challenges_are_no_error_of_ours(docs: Docs, visitor: Visitor):
    guard, claims = docs.guard(), accepted(docs, visitor)
    for odd in ODD:
        for changes in ({"limits": {"/path": {"values": [odd]}}}, {"limits": odd}, {"tools": odd}, {"tools": [odd]}):
            answer = guard.challenge(claims, **changes)
            assert answer.status_code < 500, (changes, answer.text)
            if answer.status_code == 200:
                page = visitor.open(docs.url(scope=f"docs:read {answer.json['scope']}"))
                assert page.status_code < 500


@pytest.mark.parametrize(
    "name",
    ["x:once", ":once", "once", "=cmd|'/c'!A1", "<script>", "%0d%0a", "tool:tool:x", "../x", "a" * 190, "{{7*7}}", ","],
)
def test_odd_names_in_derived_scopes_are_shown_as_they_are(docs: Docs, visitor: Visitor, name):
    url = docs.url(scope=f"docs:read tool:{name}")
    page = visitor.open(url)
    assert page.status_code == 200
    assert "<script>" not in page.text
    docs.flow.answer(visitor.accept(url))
    assert docs.flow.token().status_code == 200


def test_a_hundred_derived_scopes_are_no_error(docs: Docs, visitor: Visitor):
    names = " ".join(f"tool:t{number} limit:{number}" for number in range(49))
    assert visitor.open(docs.url(scope=f"docs:read {names}")).status_code == 200


def test_a_guards_key_is_no_client(docs: Docs, visitor: Visitor):
    guard = docs.guard()
    for grant in ("client_credentials", "authorization_code", "refresh_token"):
        form = {
            "grant_type": grant,
            "code": "x",
            "refresh_token": "x",
            "redirect_uri": "http://127.0.0.1/",
            "code_verifier": "a" * 43,
        }
        assert guard.say("/token", **form).status_code in (400, 401)
    assert visitor.open(docs.url(client_id=guard.key["client_id"])).status_code == 400


def test_a_challenge_ends_with_the_grant_that_it_is_about(docs: Docs, visitor: Visitor):
    guard = docs.guard()
    claims = accepted(docs, visitor)
    guard.announce(claims, "delete_doc")
    grants = docs.site.deployment.stores.grants
    for grant in grants.for_user(claims["sub"]):
        if grant.resource == docs.resource.identifier:
            grants.revoke(grant.id, EVENT)
    page = visitor.open(docs.url(scope="docs:read docs:delete tool:delete_doc"))
    assert "asked for now" not in page.text, "a grant that was ended goes on asking"


def test_another_device_does_not_take_away_what_was_remembered(docs: Docs, visitor: Visitor):
    """AZ-9: only what is new needs a decision; nobody decided anything at the second device."""
    hosted(docs)
    url = docs.url(scope=DELETING, redirect_uri=HOSTED)
    redeemed(docs, visitor.decide(url))
    second = Visitor(docs.site).open(url)
    claims = redeemed(docs, second)
    assert claims["scope"] == DELETING, "less than was asked for, without a page"
