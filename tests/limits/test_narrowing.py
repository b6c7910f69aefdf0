"""What is narrower grants no more: by example, and for whatever details and calls may be thought up."""

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mcp_token_guard.limits import from_claim, reading, writing
from mcp_token_guard.limits.narrowing import covered, narrower
from tests.limits.vectors import LOCATION, VECTORS, detail

pytestmark = pytest.mark.requirement("EX-7")


@pytest.mark.parametrize("vector", [pytest.param(vector, id=vector["what"]) for vector in VECTORS["narrowing"]])
def test_a_detail_is_narrower_or_not(vector) -> None:
    mine, whole = (reading.detail(detail(**vector[side])) for side in ("detail", "whole"))
    assert narrower(mine, whole) is vector["narrower"]


def test_a_detail_may_be_covered_tool_by_tool() -> None:
    tools = [reading.detail(detail(tools=[tool])) for tool in ("x", "y")]
    assert covered([reading.detail(detail(tools=["x", "y"]))], tools)
    assert not covered([reading.detail(detail(tools=["x", "y", "z"]))], tools)
    assert covered([], tools)
    assert not covered(tools, [])


# A small world, so that details and calls often meet.
PATHS = st.sampled_from(["/", "/w", "/w/x", "/W", "/wx", ".", "w", "/w/x/y.md"])
TRICKS = st.sampled_from(["/w/../e", "/w/", "//w", "/w/./x", "/w/%2e%2e", "", "a@b.c", "ab", "SELECT 1"])
PATTERNS = st.sampled_from(["*", "**", "/w/**", "a?", "[a-c]*", "*@b.c"])
NUMBERS = st.sampled_from([-1, 0, 1, 2, 0.5, 1.0, -0.0, 2**53 - 1])
WHOLE = st.sampled_from([0, 1, 2, 10_001])
SCALARS = st.one_of(PATHS, TRICKS, st.sampled_from([0, 1, True, False, None, 2]))
NAMES = st.sampled_from(["/a", "/A", "/b", "/a/b", "/a/c", "/c"])


def some(**members: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=members)


def distinct(items: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(items, min_size=1, max_size=3, unique_by=repr)


KINDS = st.one_of(
    st.just({}),
    some(values=distinct(SCALARS)),
    some(under=distinct(PATHS), matches=distinct(PATTERNS), max_length=WHOLE),
    some(under=distinct(PATHS), ignore_case=st.booleans()),
    some(minimum=NUMBERS, maximum=NUMBERS, integer=st.booleans()),
    some(sql=st.just({"dialect": "sqlite"})),
)
RULES = st.one_of(KINDS, some(max_items=WHOLE, items=KINDS))  # with SQL in a list, which is refused
OPTIONAL = some(optional=st.booleans())
LIMITS = st.dictionaries(NAMES, st.tuples(RULES, OPTIONAL).map(lambda both: {**both[0], **both[1]}), max_size=3)
DETAILS = some(limits=LIMITS, additional=st.sampled_from(["allow", "deny"])).map(lambda members: detail(**members))

VALUES = st.recursive(
    st.one_of(SCALARS, NUMBERS, st.sampled_from(["x" * 1_001, "x" * 10_001, [1] * 101])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["b", "c", "B"]), inner, max_size=2)
    ),
    max_leaves=4,
)
CALLS = st.dictionaries(st.sampled_from(["a", "A", "b", "c", "d"]), VALUES, max_size=3)


def read(value: dict[str, Any]) -> Any:
    try:
        return reading.detail(value)
    except ValueError:
        assume(condition=False)


def loosened(value: dict[str, Any], data: st.DataObject) -> dict[str, Any]:
    """*value*, with one or two of its rules changed: near enough to be comparable."""
    limits = dict(value.get("limits", {}))
    for name in data.draw(st.lists(st.sampled_from(sorted(limits)), max_size=2)) if limits else ():
        if data.draw(st.booleans()):
            limits[name] = data.draw(RULES)
        else:
            limits.pop(name, None)
    members = {**value, "limits": limits}
    if data.draw(st.booleans()):
        members["additional"] = "allow"
    return members


@settings(max_examples=150)
@given(DETAILS, st.data())
def test_every_call_that_a_narrower_detail_allows_the_whole_allows(mine, data) -> None:
    one = read(mine)
    for _ in range(3):
        whole = data.draw(DETAILS) if data.draw(st.booleans()) else loosened(mine, data)
        if narrower(one, read(whole)):
            for call in data.draw(st.lists(CALLS, min_size=1, max_size=6)):
                if from_claim([mine], LOCATION).breach("read_note", call) is None:
                    assert from_claim([whole], LOCATION).breach("read_note", call) is None, (mine, whole, call)


@given(DETAILS)
def test_a_detail_is_narrower_than_itself(mine) -> None:
    one = read(mine)
    assert narrower(one, one)
    assert narrower(reading.detail(writing.detail(one)), one)


@given(DETAILS, CALLS)
def test_what_is_written_allows_what_was_read(mine, call) -> None:
    written = writing.detail(read(mine))
    one, other = (from_claim([value], LOCATION).breach("read_note", call) for value in (mine, written))
    assert one == other
