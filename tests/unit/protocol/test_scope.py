"""Scopes: parsing, choosing, and what implies what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.protocol import scope
from authserver.protocol.errors import InvalidRequest, InvalidScope
from authserver.protocol.scope import Risk, Scope

pytestmark = pytest.mark.requirement("AZ-5")

READ = Scope("notes:read", "Read", is_default=True)
WRITE = Scope("notes:write", "Write", Risk.WRITE, implies=("notes:read",))
DELETE = Scope("notes:delete", "Delete", Risk.DESTRUCTIVE, implies=("notes:write",))
KNOWN = (READ, WRITE, DELETE)


def test_unknown_scopes_are_dropped_and_the_rest_is_granted():
    selection = scope.select(("openid", "notes:write", "email"), KNOWN)
    assert selection == scope.Selection(("notes:write",), offline=False)


@pytest.mark.parametrize("asked", [(), ("offline_access",), ("openid", "email", "profile", "offline_access")])
def test_no_scope_of_a_resource_means_the_default_set(asked):
    assert scope.select(asked, KNOWN).scopes == ("notes:read",)


def test_an_empty_scope_parameter_is_none_at_all():
    assert scope.parse("") == scope.parse(None) == scope.parse("   ") == ()


def test_only_when_nothing_is_left_is_the_request_refused():
    with pytest.raises(InvalidScope):
        scope.select(("openid", "no:such"), KNOWN)


def test_a_resource_may_have_a_scope_of_that_name_itself():
    assert scope.select(("openid", "email"), (*KNOWN, Scope("email", "Mail"))).scopes == ("email",)


def test_hierarchy_is_followed_to_its_end_and_cycles_end():
    assert scope.expand(["notes:delete"], KNOWN) == ("notes:read", "notes:write", "notes:delete")
    assert scope.expand(["notes:read", "gone"], KNOWN) == ("notes:read",)
    circle = (Scope("a", "", implies=("b",)), Scope("b", "", implies=("a",)))
    assert scope.expand(["a"], circle) == ("a", "b")


@pytest.mark.parametrize("text", ['a"b', "a\\b", "a\tb", "ü", "a\0", " ".join(f"s{n}" for n in range(101)), "x" * 201])
def test_what_the_grammar_forbids_is_an_invalid_request(text):
    with pytest.raises(InvalidRequest):
        scope.parse(text)


@given(st.text())
def test_any_text_is_parsed_into_distinct_tokens_or_refused(text):
    try:
        names = scope.parse(text)
    except InvalidRequest:
        return
    assert len(set(names)) == len(names)
    assert all(names)
