"""The language of limits: what a detail says, what it permits, and how it is put for people."""

import json
from pathlib import Path
from typing import Any

import pytest

from mcp_token_guard import limits
from mcp_token_guard.limits import reading, words
from mcp_token_guard.limits import rule as rules
from tests.limits.vectors import LOCATION, VECTORS, detail

pytestmark = pytest.mark.requirement("EX-7")


def named(vectors: list[dict[str, Any]]) -> Any:
    return [pytest.param(vector, id=vector["what"]) for vector in vectors]


@pytest.mark.parametrize("vector", named(VECTORS["rules"]))
def test_a_rule_permits_what_it_should_and_nothing_else(vector) -> None:
    limit = reading.rule(vector["rule"]).limit
    assert [value for value in vector["permitted"] if not rules.permits(limit, value)] == []
    assert [value for value in vector["refused"] if rules.permits(limit, value)] == []


@pytest.mark.parametrize("vector", named(VECTORS["malformed"]))
def test_a_detail_that_is_not_understood_is_refused(vector) -> None:
    with pytest.raises(ValueError, match=r"."):
        reading.detail(detail(**vector["detail"]))


@pytest.mark.parametrize("value", [None, [], "mcp_tool", 1, {}, {"type": "mcp_tool"}, {"type": ["mcp_tool"]}])
def test_what_is_no_detail_is_refused(value) -> None:
    with pytest.raises(ValueError, match=r"."):
        reading.detail(value)


@pytest.mark.parametrize("vector", named(VECTORS["calls"]))
def test_a_call_is_let_through_or_refused_by_its_arguments(vector) -> None:
    held = limits.from_claim([detail(**vector["detail"])], LOCATION)
    assert [call for call in vector["permitted"] if held.breach("read_note", call)] == []
    assert [call for call in vector["refused"] if not held.breach("read_note", call)] == []


@pytest.mark.parametrize("vector", named(VECTORS["once"]))
def test_a_detail_for_one_call_lets_it_through_by_its_permission_alone(vector) -> None:
    held = limits.from_claim([detail(**vector["detail"])], LOCATION)
    for call in vector["permitted"]:
        assert held.permissions("read_note", call) == (vector["detail"]["once"],)
        assert held.breach("read_note", call).rule == "is allowed once only"
        assert held.permissions("write_note", call) == ()
    for call in vector["refused"]:
        assert held.permissions("read_note", call) == ()
        assert held.breach("read_note", call).argument


def test_text_that_has_to_be_looked_at_is_short() -> None:
    for given, most in (({"under": ["."]}, 4096), ({"matches": ["**"], "max_length": 5000}, 1000)):
        assert rules.permits(reading.rule(given).limit, "x" * most)
        assert not rules.permits(reading.rule(given).limit, "x" * (most + 1))


def test_a_list_that_has_to_be_looked_at_has_100_items_at_most() -> None:
    looked_at, let_be = (reading.rule({"items": items}).limit for items in ({"values": [1]}, {}))
    assert rules.permits(looked_at, [1] * 100)
    assert not rules.permits(looked_at, [1] * 101)
    assert rules.permits(let_be, [1] * 1000)


def test_the_example_on_the_page_is_a_good_one() -> None:
    page = Path(__file__).parents[2].joinpath("docs", "limits.md").read_text("utf-8")
    example = json.loads(page.partition("```json\n")[2].partition("```")[0])
    assert [sorted(reading.detail(value).tools) for value in example] == [["list_notes", "read_note"], ["search"]]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({}, "anything"),
        ({"values": ["a", 1, None]}, 'only null, 1 or "a"'),
        ({"under": ["/work", "/play"], "max_length": 9}, "only in /play or /work, at most 9 characters"),
        ({"under": ["/w"], "ignore_case": True, "optional": True}, "only in /w in any case, or left out"),
        ({"matches": ["*@example.com"]}, "like *@example.com"),
        ({"minimum": 1, "maximum": 5, "integer": True}, "a whole number from 1 up to 5"),
        ({"maximum": 1.5}, "a number up to 1.5"),
        ({"max_items": 2, "items": {"values": [1]}}, "a list of at most 2, each only 1"),
        ({"items": {}}, "a list"),
        ({"sql": {"dialect": "sqlite"}}, "one query that only reads (sqlite)"),
        ({"sql": {"dialect": "sqlite", "functions": []}}, "one query that only reads (sqlite, calling no function)"),
    ],
)
def test_a_rule_has_words_for_people(rule, said) -> None:
    assert words.of_rule(reading.rule(rule)) == said
