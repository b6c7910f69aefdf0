"""The rules of policy are changed in the console: looked over first, and never over somebody else's."""

import re
from collections.abc import Iterator
from html import unescape

import pytest

from authserver.protocol.policy import reading
from authserver.protocol.role import Role
from tests.conformance.flow import Flow
from tests.conformance.site import Site
from tests.conformance.visitor import Visitor, forms
from tests.policies.conftest import apply
from tests.web.pages.conftest import As
from tests.web.pages.test_consent_page import words

HOSTILE = "<script>alert(1)</script>"
KEPT = {"name": "no writing", "effect": "deny", "tools": ["write_note"]}
ADDED = f"  - name: '{HOSTILE}'\n    effect: deny\n    who: ['group:nobody']\n"
ADDRESS = "/admin/policies/edit"


@pytest.fixture
def owner(site: Site, signed_in_as: As) -> Iterator[Visitor]:
    apply(site, KEPT)
    yield signed_in_as(Role.OWNER)
    apply(site)


def typed(site: Site) -> str:
    """The rules that count, as the page shows them."""
    current = site.deployment.stores.policies.current()
    return f"version: {current.version}\nrules:\n  - name: no writing\n    effect: deny\n    tools: [write_note]\n"


def send(owner: Visitor, rules: str, act: str = ""):
    page = owner.open(ADDRESS)
    return owner.http.post(ADDRESS, data={**dict(forms(page)[-1].fields), "rules": rules, "act": act})


def names(site: Site) -> list[str]:
    return [rule.name for rule in site.deployment.stores.policies.current().rules]


def test_what_is_shown_can_be_sent_back_and_changes_nothing(site: Site, owner: Visitor):
    page = owner.open(ADDRESS)
    (shown,) = re.findall(r"<textarea[^>]*>(.*?)</textarea>", page.text, re.S)
    answer = send(owner, unescape(shown))
    assert answer.status_code == 200
    assert "This changes nothing" in answer.text
    assert reading.written(site.deployment.stores.policies.current().rules) == [KEPT]


def test_a_look_tells_what_would_change_and_what_to_doubt_and_changes_nothing(site: Site, owner: Visitor):
    answer = send(owner, typed(site) + ADDED, "look")
    assert answer.status_code == 200
    assert "This would change" in answer.text
    assert "nobody is in the group" in answer.text
    assert "<script>alert" not in answer.text
    assert HOSTILE.replace("<", "&lt;").replace(">", "&gt;") in answer.text
    assert names(site) == ["no writing"]


def test_applied_they_count_at_once_and_the_trail_says_by_whom(site: Site, owner: Visitor):
    assert send(owner, typed(site) + ADDED, "apply").status_code == 303
    assert names(site) == ["no writing", HOSTILE]
    applied = site.deployment.stores.policies.applied()
    assert applied is not None
    assert applied.actor.startswith("user:")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rules:\n  - {name: x, effect: permit}", "line 2"),
        ("rules: [", "not YAML"),
        ("", "a mapping"),
        ("rules: []\nother: 1", "is not known here"),
        ("\0", "not YAML"),
    ],
)
def test_what_are_no_rules_is_told_by_line_and_stays_in_the_form(site: Site, owner: Visitor, text: str, says: str):
    answer = send(owner, text, "apply")
    assert answer.status_code == 400
    assert says in answer.text
    assert "Nothing was changed" in answer.text
    assert names(site) == ["no writing"]


def test_whoever_wrote_from_other_rules_than_those_that_count_is_told_and_overwrites_nothing(
    site: Site, owner: Visitor
):
    mine = typed(site)
    apply(site, KEPT, {"name": "of somebody else", "effect": "allow"})
    for text in (mine + ADDED, "rules: []"):
        answer = send(owner, text, "apply")
        assert answer.status_code == 409
        assert "Other rules count since this page was shown" in answer.text
    assert names(site) == ["no writing", "of somebody else"]


def test_a_file_beyond_the_bound_is_refused(site: Site, owner: Visitor):
    assert send(owner, typed(site) + "# " + "x" * 300_000, "apply").status_code == 413
    assert send(owner, typed(site) + "# " + "x" * 200_000, "look").status_code == 200


def test_rules_are_held_against_what_happened_before(site: Site, owner: Visitor, flow: Flow, visitor: Visitor):
    flow.register()
    flow.tokens(visitor)
    answer = send(owner, typed(site) + "  - {name: none at all, effect: deny}\n", "replay")
    assert answer.status_code == 200
    said = words(answer)
    assert "would have decided otherwise in the last 7 days" in said
    assert f"grant.approved ada {flow.values['client_id']}" in said
    assert "(none at all)" in said
    assert names(site) == ["no writing"]
    assert "Nothing." in words(send(owner, typed(site), "replay"))
