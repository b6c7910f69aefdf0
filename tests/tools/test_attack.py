"""Attacks on consent by tool: each test says what was promised, and fails while the promise is broken."""

import json
import re
import time
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import pytest

from authserver.protocol import catalogue
from authserver.protocol.access_token import ClientAuthority, TokenId
from authserver.protocol.errors import InvalidGrant
from authserver.protocol.grants import Outcome
from authserver.protocol.scope import Risk, Scope
from authserver.protocol.tool import Mark
from authserver.protocol.way import Way
from authserver.services import tool_details
from authserver.services.tool_catalogue.placement import Placement
from authserver.services.tool_details import ToolDetailing
from authserver.store import migrate
from tests.conformance.site import ISSUER
from tests.conformance.visitor import Visitor
from tests.tools.conftest import EVENT, SCOPES, Docs, claims_of, tool, tools_of
from tests.tools.test_consent import accepted, consent, ticked, token

pytestmark = pytest.mark.requirement("EX-7")
HOSTED = "https://app.example/cb"
DELETING = "docs:read docs:delete"


def hosted(docs: Docs) -> None:
    docs.flow.register(
        {
            "client_name": "Hosted",
            "redirect_uris": [HOSTED],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "none",
        }
    )


def redeemed(docs: Docs, answer: Any) -> dict[str, Any]:
    docs.flow.answer(answer)
    return claims_of(docs.flow.token(redirect_uri=HOSTED).json)


def ways(claims: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [detail for detail in claims["authorization_details"] if name in detail["tools"]]


def asked(docs: Docs, *tools: str, **changes: object) -> str:
    found = {"type": "mcp_tool", "locations": [docs.resource.identifier], "tools": list(tools), **changes}
    return json.dumps([found])


def refreshed(docs: Docs) -> dict[str, Any]:
    return claims_of(docs.flow.refresh().json)


def plain_text(page: Any) -> str:
    return " ".join(re.sub("<[^>]+>", " ", page.text).split())


# 1. Consent


def test_who_narrows_a_lasting_permission_to_a_single_call_has_a_single_call(docs: Docs, visitor: Visitor):
    """tools.md: it is allowed as long as the app is connected, for an hour, or for a single call."""
    docs.guard()
    token(docs, visitor.decide(docs.url(scope=DELETING), tools={"list_docs", "delete_doc"}))
    once = {"term:delete_doc": "once"}
    url = docs.url(scope=DELETING, prompt="consent")
    claims = token(docs, visitor.decide(url, tools={"list_docs", "delete_doc"}, filled=once))
    assert all("once" in way for way in ways(claims, "delete_doc")), ways(claims, "delete_doc")


@pytest.mark.parametrize("term", ["while", "once"])
def test_what_was_narrowed_to_an_hour_or_a_call_is_not_lasting_on_the_next_device(docs: Docs, visitor: Visitor, term):
    """What is remembered for other devices is never wider than the newest decision (AZ-9)."""
    docs.guard()
    hosted(docs)
    url = docs.url(scope="docs:delete", redirect_uri=HOSTED)
    redeemed(docs, visitor.decide(url, tools={"delete_doc"}))
    narrowed = docs.url(scope="docs:delete", redirect_uri=HOSTED, prompt="consent")
    redeemed(docs, visitor.decide(narrowed, tools={"delete_doc"}, filled={"term:delete_doc": term}))
    page = Visitor(docs.site).open(url)
    assert page.status_code == 200, "another device got it in silence, for as long as the app is connected"


def test_a_limit_for_an_hour_is_not_unlimited_on_the_next_device(docs: Docs, visitor: Visitor):
    hosted(docs)
    url = docs.url(scope="docs:delete", redirect_uri=HOSTED)
    redeemed(docs, visitor.decide(url, tools={"delete_doc"}))
    limit = {"argument:delete_doc": "path", "kind:delete_doc": "under", "limit:delete_doc": "/work"}
    narrowed = docs.url(scope="docs:delete", redirect_uri=HOSTED, prompt="consent")
    redeemed(docs, visitor.decide(narrowed, tools={"delete_doc"}, filled={**limit, "term:delete_doc": "while"}))
    page = Visitor(docs.site).open(url)
    assert page.status_code == 200, "another device got it in silence, without the limit"


def test_no_client_has_what_can_destroy_ticked_by_its_own_details(docs: Docs, visitor: Visitor):
    """tools.md: what can destroy is off until somebody ticks it; issue 4: that holds for all unchallenged items."""
    docs.guard()
    page = visitor.open(docs.url(scope="docs:delete", authorization_details=asked(docs, "delete_doc", "wipe_all")))
    assert not ticked(page) & {"delete_doc", "wipe_all"}


def test_no_client_has_what_can_destroy_ticked_by_asking_for_nothing_else(docs: Docs, visitor: Visitor):
    docs.guard()
    accepted(docs, visitor)
    page = visitor.open(docs.url(scope="docs:delete"))
    assert not ticked(page) & {"delete_doc", "wipe_all"}


def test_no_client_has_what_changed_ticked_by_its_own_details(docs: Docs, visitor: Visitor):
    """tools.md: what waits to be agreed to is off until somebody ticks it."""
    docs.guard()
    accepted(docs, visitor)
    docs.marked("read_doc", Mark.CHANGED)
    page = visitor.open(docs.url(authorization_details=asked(docs, "read_doc")))
    assert "read_doc" not in ticked(page)


@pytest.mark.parametrize(
    "limits",
    [
        {"limits": {}, "additional": "allow"},
        {"limits": {"/path": {}}},
        {"limits": {"/path": {"optional": True}}, "additional": "allow"},
    ],
)
def test_the_page_does_not_say_no_arguments_of_any_arguments(docs: Docs, visitor: Visitor, limits):
    """Limits on the page are those in the token (AZ-8)."""
    url = docs.url(scope="docs:delete", authorization_details=asked(docs, "delete_doc", **limits))
    page = visitor.open(url)
    assert "Only with no arguments" not in plain_text(page)


def test_the_page_says_that_other_arguments_are_free(docs: Docs, visitor: Visitor):
    pages = []
    for more in ({}, {"additional": "allow"}):
        limits = {"limits": {"/path": {"values": ["a"]}}, **more}
        pages.append(visitor.open(docs.url(authorization_details=asked(docs, "read_doc", **limits))))
    lines = [plain_text(page).partition("The tool read_doc")[2][:200] for page in pages]
    assert lines[0] != lines[1], "with and without any other arguments the page says the same"


def test_a_page_shown_for_fewer_arguments_does_not_count_for_more(docs: Docs, visitor: Visitor):
    """The digest of the page covers what it says: ``additional`` too."""
    narrow = docs.url(authorization_details=asked(docs, "read_doc", limits={"/path": {"values": ["a"]}}))
    wide = docs.url(
        authorization_details=asked(docs, "read_doc", limits={"/path": {"values": ["a"]}}, additional="allow")
    )
    shown = [dict(consent(visitor.open(url)).fields)["shown"] for url in (narrow, wide)]
    assert shown[0] != shown[1]


@pytest.mark.parametrize("rule", [{"matches": ["!" * 200, "!" * 199, "**"]}, {"values": ["!" * 300, "/etc/shadow"]}])
def test_no_alternative_is_hidden_past_the_end_of_the_line(docs: Docs, visitor: Visitor, rule):
    """What the page says of a limit is all of it (AZ-8), or the limit cannot be asked for."""
    url = docs.url(authorization_details=asked(docs, "read_doc", limits={"/path": rule}))
    page = visitor.open(url)
    shown = plain_text(page).partition("The tool read_doc")[2]
    last = "**" if "matches" in rule else "/etc/shadow"
    assert page.status_code != 200 or last in shown, shown[:500]


def test_what_stands_without_limits_is_not_shown_as_limited(docs: Docs, visitor: Visitor):
    """The page says 'Only with …' and the token goes on without limits."""
    accepted(docs, visitor)
    url = docs.url(authorization_details=asked(docs, "read_doc", limits={"/path": {"under": ["/work"]}}))
    text = plain_text(visitor.open(url))
    claims = accepted(
        docs, visitor, authorization_details=asked(docs, "read_doc", limits={"/path": {"under": ["/work"]}})
    )
    free = any("limits" not in way for way in ways(claims, "read_doc"))
    assert not (free and "Only with path only in /work" in text)


def test_a_limit_of_the_administrator_that_was_on_the_page_counts_in_the_decision(docs: Docs, visitor: Visitor):
    """A decision counts only for what was shown (AZ-13)."""
    policy = Way.limited({"/path": {"under": ["/work"]}})
    tools = docs.resource.tools
    docs.change(tools=tuple(replace(one, policy=policy) if one.name == "read_doc" else one for one in tools))
    page = visitor.open(docs.url())
    assert "only in /work" in page.text
    docs.change(tools=tools)
    sent = {"decision": "allow", "scope": ["docs:read"], "tool": ["list_docs", "read_doc"]}
    assert visitor.submit(page, consent(page), sent).status_code == 409


def test_a_limit_that_was_on_the_page_counts_although_another_tab_lifted_it(docs: Docs, visitor: Visitor):
    """Two tabs (AZ-13): the first page says 'Only with …', the second lifts it, the first is sent."""
    limit = {"argument:read_doc": "path", "kind:read_doc": "under", "limit:read_doc": "/work"}
    token(docs, visitor.decide(docs.url(), filled=limit))
    url = docs.url(prompt="consent")
    page = visitor.open(url)
    assert "only in /work" in page.text
    token(docs, visitor.decide(url, tools={"list_docs"}))
    token(docs, visitor.decide(url, tools={"list_docs", "read_doc"}))
    sent = {"decision": "allow", "scope": ["docs:read"], "tool": ["list_docs", "read_doc"]}
    answer = visitor.submit(page, consent(page), sent)
    assert answer.status_code == 409 or all("limits" in way for way in ways(token(docs, answer), "read_doc"))


def test_only_what_reads_means_it_where_a_scope_implies_another(docs: Docs, visitor: Visitor):
    """tools.md: one button ticks only what reads."""
    admin = Scope("docs:audit", "Look at what happened", Risk.READ, implies=("docs:write",))
    docs.change(scopes=(*SCOPES, admin), tools=(*docs.resource.tools, tool("list_audit", "docs:audit", Risk.READ)))
    page = visitor.open(docs.url(scope="docs:read docs:audit"))
    reading = visitor.submit(page, consent(page), {"decision": "reading"})
    form = consent(reading)
    sent = {kind: [value for name, value in form.checked if name == kind] for kind in ("scope", "tool")}
    sent["tool"] += [value for name, value in form.fields if name == "tool"]
    claims = token(docs, visitor.submit(reading, form, {"decision": "allow", **sent}))
    assert "write_doc" not in tools_of(claims)


def test_a_tool_that_only_its_guard_knows_can_be_taken_back(docs: Docs, visitor: Visitor):
    """AZ-14: the page lists what is already allowed and included, untickable."""
    accepted(docs, visitor, scope="docs:read tool:brand_new")
    page = visitor.open(docs.url(prompt="consent"))
    offered = {value for name, value in (*consent(page).boxes, *consent(page).fields) if name == "tool"}
    assert "brand_new" in tools_of(refreshed(docs))
    assert "brand_new" in offered


def test_a_challenge_preselects_just_its_tool_on_another_device_too(docs: Docs, visitor: Visitor):
    """Issue 4: the page has exactly that item preselected."""
    guard = docs.guard()
    guard.announce(accepted(docs, visitor), "delete_doc")
    page = Visitor(docs.site).open(docs.url(scope="docs:read docs:delete tool:delete_doc"))
    assert {"delete_doc"} == ticked(page) & {"delete_doc", "wipe_all"}
    assert "docs:delete" in ticked(page, "scope")


def test_two_tools_can_be_told_apart_on_the_page(docs: Docs, visitor: Visitor):
    """A title is a stranger's claim; the name is what is allowed."""
    tools = docs.resource.tools
    same = [replace(one, title="Read a document", claim=replace(one.claim, title="Read a document")) for one in tools]
    docs.change(tools=tuple(same))
    text = plain_text(visitor.open(docs.url(scope=DELETING)))
    assert "read_doc" in text


def test_the_page_shows_an_administrators_limit_on_what_stands(docs: Docs, visitor: Visitor):
    accepted(docs, visitor)
    policy = Way.limited({"/path": {"under": ["/work"]}})
    tools = docs.resource.tools
    docs.change(tools=tuple(replace(one, policy=policy) if one.name == "read_doc" else one for one in tools))
    assert "only in /work" in visitor.open(docs.url(prompt="consent")).text


# 2. Derived scopes


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


# 3. Single calls


def test_a_permission_used_while_a_decision_is_written_is_not_given_back(docs: Docs, visitor: Visitor):
    """Decision 8: a permission for one call is never doubled."""
    guard = docs.guard()
    form = {"term:delete_doc": "once"}
    claims = token(docs, visitor.decide(docs.url(scope=DELETING), tools={"list_docs", "delete_doc"}, filled=form))
    [permission] = [way["once"] for way in ways(claims, "delete_doc")]
    service = docs.site.deployment.authorization
    approve, answers = type(service).approve, []

    def slow(self, proposal, choice, person, origin):
        answers.append(guard.consume(claims, permission).json["consumed"])
        return approve(self, proposal, choice, person, origin)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(service), "approve", slow)
        later = token(docs, visitor.accept(docs.url(scope=DELETING, prompt="consent")))
    answers.append(guard.consume(later, permission).json["consumed"])
    assert answers.count(True) == 1


def test_a_permission_ends_when_it_says(docs: Docs, visitor: Visitor, monkeypatch):
    """tools.md, the page: for a single call, within ten minutes."""
    guard = docs.guard()
    monkeypatch.setattr("authserver.services.tool_choices.ONCE_SECONDS", 1)
    form = {"term:delete_doc": "once"}
    claims = token(docs, visitor.decide(docs.url(scope=DELETING), tools={"list_docs", "delete_doc"}, filled=form))
    [permission] = [way["once"] for way in ways(claims, "delete_doc")]
    time.sleep(2.1)
    assert guard.consume(claims, permission).json == {"consumed": False}


def test_a_permission_is_for_the_tool_as_it_was(docs: Docs, visitor: Visitor):
    """A tool that changed is covered when someone agreed to it; the server is asked, so it can say no at once."""
    guard = docs.guard()
    form = {"term:delete_doc": "once"}
    claims = token(docs, visitor.decide(docs.url(scope=DELETING), tools={"list_docs", "delete_doc"}, filled=form))
    [permission] = [way["once"] for way in ways(claims, "delete_doc")]
    docs.marked("delete_doc", Mark.CHANGED)
    assert guard.consume(claims, permission).json == {"consumed": False}


def test_a_page_sent_twice_permits_one_call(docs: Docs, visitor: Visitor):
    """AZ-13: double clicks; the page says 'for a single call'."""
    docs.guard()
    url = docs.url(
        scope="docs:delete", authorization_details=asked(docs, "delete_doc", limits={"/path": {"values": ["a"]}})
    )
    page = visitor.open(url)
    sent = {"decision": "allow", "scope": ["docs:delete"], "tool": ["delete_doc"], "term:delete_doc": "once"}
    visitor.submit(page, consent(page), sent)
    answer = visitor.submit(page, consent(page), sent)
    assert answer.status_code == 409 or len(ways(token(docs, answer), "delete_doc")) == 1


# 4. Limits


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

    def slow(known, authority, scopes, now):
        found = make(known, authority, scopes, now)
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


# 5. Denial


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
    assert visitor.open(url).status_code < 500


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


# 6. Old data


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
        docs.site.deployment.token._response(Outcome(authority, None), ())


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
