"""The page says what the token will: nothing is hidden, ticked unasked, or remembered wider than it was decided."""

from dataclasses import replace

import pytest

from authserver.protocol.scope import Risk, Scope
from authserver.protocol.tool import Mark
from authserver.protocol.way import Way
from tests.conformance.visitor import Visitor
from tests.tools.attack import DELETING, HOSTED, asked, hosted, plain_text, redeemed, refreshed, ways
from tests.tools.conftest import SCOPES, Docs, tool, tools_of
from tests.tools.test_consent import accepted, consent, ticked, token

pytestmark = pytest.mark.requirement("EX-7")


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
