"""Tools ticked by the group: all of a risk, all of a scope, without scripts (EX-7, AZ-8)."""

import pytest

from tests.conformance.visitor import Visitor
from tests.tools.conftest import Docs, tools_of
from tests.tools.test_consent import ALL, consent, ticked, token

pytestmark = pytest.mark.requirement("AZ-8", "EX-7")
READING, WRITING, DESTROYING = {"list_docs", "read_doc"}, {"write_doc"}, {"delete_doc", "wipe_all"}


def press(visitor: Visitor, page, button: str, **filled: object):
    """The page again after a button, with what is ticked on it now."""
    sent = {kind: sorted(ticked(page, kind)) for kind in ("scope", "tool")}
    return visitor.submit(page, consent(page), {**sent, "decision": button, **filled})


@pytest.mark.parametrize(
    ("button", "tools", "scopes"),
    [
        ("reading", READING, {"docs:read"}),
        ("writing", READING | WRITING, {"docs:read", "docs:write"}),
        ("all", READING | WRITING | DESTROYING, set(ALL.split())),
        ("none", set(), set()),
    ],
)
def test_all_tools_up_to_a_risk_are_ticked_by_one_button(docs: Docs, visitor: Visitor, button, tools, scopes):
    page = press(visitor, visitor.open(docs.url(scope=ALL)), button)
    assert page.status_code == 200
    assert (ticked(page), ticked(page, "scope")) == (tools, scopes)


def test_the_buttons_of_a_page_are_those_that_make_a_difference(docs: Docs, visitor: Visitor):
    groups = ("reading", "writing", "all", "none")
    for scope, there in ((ALL, list(groups)), ("docs:read", ["reading", "all", "none"])):
        page = visitor.open(docs.url(scope=scope))
        assert [value for name, value in consent(page).buttons if name == "decision" and value in groups] == there


def test_all_tools_of_a_scope_are_ticked_and_unticked_by_one_button(docs: Docs, visitor: Visitor):
    page = visitor.open(docs.url(scope=ALL))
    assert ticked(page) == READING | WRITING
    page = press(visitor, page, "tick:docs:delete")
    assert ticked(page) == READING | WRITING | DESTROYING
    assert "docs:delete" in ticked(page, "scope")
    page = press(visitor, page, "untick:docs:read")
    assert ticked(page) == WRITING | DESTROYING
    assert "docs:read" in ticked(page, "scope")


@pytest.mark.parametrize("about", ["docs:nothing", "", "\0", "x" * 5000])
def test_a_scope_that_is_not_on_the_page_changes_nothing(docs: Docs, visitor: Visitor, about: str):
    page = visitor.open(docs.url(scope=ALL))
    assert ticked(press(visitor, page, f"tick:{about}")) == ticked(page)


def test_a_scopes_own_tick_counts_for_all_of_its_tools(docs: Docs, visitor: Visitor):
    page = visitor.open(docs.url(scope=ALL))
    sent = {"scope": ["docs:read"], "tool": sorted(READING | WRITING), "decision": "allow"}
    assert tools_of(token(docs, visitor.submit(page, consent(page), sent))) == READING


def test_what_was_said_of_terms_stays_when_groups_are_ticked(docs: Docs, visitor: Visitor):
    page = press(visitor, visitor.open(docs.url(scope=ALL)), "all")
    page = press(visitor, page, "untick:docs:read", **{"term:wipe_all": "while", "until": "8-hours"})
    assert '<option value="while" selected>' in page.text
    assert ("until", "8-hours") in consent(page).fields
