"""Rules where people decide, at the token endpoint, and at each refresh: what they deny is in no token."""

import time

import pytest

from authserver.protocol.audit import Event
from authserver.protocol.trace.step import Cause
from authserver.store.database import Database
from authserver.store.engine import create
from authserver.store.stores import Stores
from tests.conformance.site import Site
from tests.conformance.visitor import Visitor, forms
from tests.policies.conftest import Rule, events
from tests.tools.conftest import Docs, claims_of, tools_of
from tests.tools.test_consent import ALL, accepted, ticked, token
from tests.traces.telling import told

NOBODY_WIPES = {"name": "nobody wipes", "effect": "deny", "who": ["user:ada"], "tools": ["wipe_all"]}


def refresh(docs: Docs):
    return docs.flow.refresh()


def test_a_tool_that_is_denied_is_not_offered_and_the_page_says_so(docs: Docs, visitor: Visitor, rules: Rule):
    rules({**NOBODY_WIPES, "says": "Wiping is for Root."})
    page = visitor.open(docs.url(scope=ALL))
    boxes = {value for form in forms(page) for name, value in form.boxes if name == "tool"}
    assert "wipe_all" not in boxes
    assert "Not allowed here" in page.text
    assert "wipe_all" in page.text
    assert "Wiping is for Root." in page.text
    claims = token(docs, visitor.decide(docs.url(scope=ALL)))
    assert tools_of(claims) == {"list_docs", "read_doc", "write_doc", "delete_doc"}


def test_a_scope_of_whose_tools_none_is_left_is_left_out_with_them(docs: Docs, visitor: Visitor, rules: Rule):
    rules({"effect": "deny", "risks": ["destructive"]})
    claims = token(docs, visitor.decide(docs.url(scope=ALL)))
    assert claims["scope"] == "docs:read docs:write"


def test_the_grant_tells_the_trail_which_rule_decided(docs: Docs, site: Site, visitor: Visitor, rules: Rule):
    rules(NOBODY_WIPES)
    token(docs, visitor.decide(docs.url(scope=ALL)))
    assert events(site, "grant.approved", docs.resource.identifier)[0].detail["rules"] == ["nobody wipes"]


def test_where_nothing_is_left_the_person_is_told_and_the_app_can_be(
    docs: Docs, site: Site, visitor: Visitor, rules: Rule
):
    rules({"name": "secret project", "effect": "deny", "says": "Ask Root."})
    page = visitor.open(docs.url(scope=ALL))
    assert page.status_code == 403
    assert "This is not allowed here" in page.text
    assert "Ask Root." in page.text
    assert "error=access_denied" in page.text
    assert "secret project" not in page.text, "a rule's name is for operators"
    refused = events(site, "policy.refused", docs.resource.identifier)[0]
    assert refused.detail["rules"] == ["secret project"]
    assert refused.outcome == "refused"
    assert refused.user_id


def test_an_app_that_asks_without_a_page_is_told_at_once(docs: Docs, visitor: Visitor, rules: Rule):
    rules({"effect": "deny"})
    visitor.open(docs.url())
    answer = docs.flow.answer(visitor.http.get(docs.url(prompt="none"), base_url=visitor.origin))
    assert answer["error"] == "access_denied"


def test_a_refresh_loses_what_a_rule_denies_since_and_gets_it_back_without_the_rule(
    docs: Docs, visitor: Visitor, rules: Rule
):
    token(docs, visitor.decide(docs.url(scope=ALL)))
    rules(NOBODY_WIPES)
    assert "wipe_all" not in tools_of(claims_of(refresh(docs).json))
    rules()
    assert "wipe_all" in tools_of(claims_of(refresh(docs).json))


def test_a_refresh_of_which_nothing_is_left_is_refused_and_its_family_ended(
    docs: Docs, site: Site, visitor: Visitor, rules: Rule
):
    token(docs, visitor.decide(docs.url(scope=ALL)))
    rules({"name": "closed", "effect": "deny", "who": ["role:member"]})
    answer = refresh(docs)
    assert answer.status_code == 400
    assert answer.json["error"] == "invalid_grant"
    assert "a rule of this server" in answer.json["error_description"]
    refused = events(site, "policy.refused", docs.resource.identifier)[0]
    assert refused.detail["rules"] == ["closed"]
    rules()
    assert refresh(docs).json["error"] == "invalid_grant", "an answer that was refused is no lost one"
    assert not events(site, "token.reused", docs.resource.identifier)


def test_a_code_that_a_rule_denies_by_now_gets_nothing(docs: Docs, visitor: Visitor, rules: Rule):
    docs.flow.answer(visitor.decide(docs.url(scope=ALL)))
    rules({"effect": "deny"})
    assert docs.flow.token().json["error"] == "invalid_grant"


def test_the_first_rule_that_fits_decides(docs: Docs, visitor: Visitor, rules: Rule):
    rules(
        {"effect": "allow", "tools": ["read_doc"]},
        {"effect": "deny", "name": "everything else"},
    )
    claims = token(docs, visitor.decide(docs.url(scope=ALL)))
    assert tools_of(claims) == {"read_doc"}
    assert claims["scope"] == "docs:read"


def test_a_group_counts_from_the_moment_somebody_is_in_it(docs: Docs, site: Site, visitor: Visitor, rules: Rule):
    stores = site.deployment.stores
    ada = stores.users.by_name("ada")
    assert ada
    token(docs, visitor.decide(docs.url(scope=ALL)))
    rules({"effect": "deny", "who": ["group:contractors"], "scopes": ["docs:write"]})
    assert "docs:write" in claims_of(refresh(docs).json)["scope"]
    stores.groups.add(ada.id, "contractors", Event("group.joined", "system"))
    try:
        assert "docs:write" not in claims_of(refresh(docs).json)["scope"]
    finally:
        stores.groups.remove(ada.id, "contractors", Event("group.left", "system"))
    assert "docs:write" in claims_of(refresh(docs).json)["scope"]


def test_the_trace_of_a_refresh_names_the_rule_that_narrowed_it(docs: Docs, site: Site, visitor: Visitor, rules: Rule):
    token(docs, visitor.decide(docs.url(scope=ALL)))
    rules(NOBODY_WIPES)
    answer = refresh(docs)
    refreshed = events(site, "token.refreshed", docs.resource.identifier)[0]
    lines = told(site, refreshed.origin.correlation_id).lines
    assert ({"rules": "nobody wipes"}, Cause.POLICY_NARROWED) in [(line.about, line.cause) for line in lines]
    assert answer.status_code == 200


def test_another_node_goes_by_a_change_within_a_second(docs: Docs, site: Site, rules: Rule):
    other = Stores.over(Database(create(site.deployment.settings.url_of_database)))
    try:
        before = other.policies.current().version
        rules(NOBODY_WIPES)
        deadline = time.monotonic() + 3
        while other.policies.current().version == before:
            assert time.monotonic() < deadline
        assert [one.name for one in other.policies.current().rules] == ["nobody wipes"]
    finally:
        other.database.close()


def test_consent_is_remembered_beside_a_rule_that_leaves_something_out(docs: Docs, visitor: Visitor, rules: Rule):
    rules(NOBODY_WIPES)
    accepted(docs, visitor, scope=ALL)
    assert ticked(visitor.open(docs.url(scope=ALL)), "scope") >= {"docs:read"}


@pytest.mark.parametrize("effect", ["deny", "require approval"])
def test_a_guard_that_asks_for_a_tool_that_is_denied_gets_no_loop(
    docs: Docs, visitor: Visitor, rules: Rule, effect: str
):
    accepted(docs, visitor)
    rules({"effect": effect, "tools": ["delete_doc"]})
    page = visitor.open(docs.url(scope="docs:read docs:delete tool:delete_doc"))
    assert page.status_code == 403
