"""The server and the guard understand a detail alike: the same files, the same vectors."""

import json
from pathlib import Path
from typing import Any

import pytest

import authserver.protocol.limits as server
import mcp_token_guard.limits as guard
from authserver.protocol.limits import reading as server_reading
from authserver.protocol.limits import rule as server_rule
from authserver.protocol.limits import words as server_words
from authserver.protocol.limits import writing
from mcp_token_guard.limits import reading as guard_reading
from mcp_token_guard.limits import rule as guard_rule
from mcp_token_guard.limits import words as guard_words
from tests.limits.vectors import LOCATION, VECTORS, detail

pytestmark = pytest.mark.requirement("EX-7")

SHARED = ("rule", "paths", "patterns", "pointers", "reading", "words")
SIDES = {"server": (server_reading, server_rule, server_words), "guard": (guard_reading, guard_rule, guard_words)}


def named(vectors: list[dict[str, Any]]) -> Any:
    return [pytest.param(vector, id=vector["what"]) for vector in vectors]


@pytest.fixture(params=SIDES)
def side(request) -> Any:
    return SIDES[request.param]


@pytest.mark.parametrize("name", SHARED)
def test_what_both_need_is_the_same_file_twice(name: str) -> None:
    one, other = (Path(side.__file__).with_name(f"{name}.py") for side in (server, guard))
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("vector", named(VECTORS["rules"]))
def test_a_rule_permits_what_it_should_and_nothing_else(side, vector) -> None:
    reading, rule, _ = side
    limit = reading.rule(vector["rule"]).limit
    assert [value for value in vector["permitted"] if not rule.permits(limit, value)] == []
    assert [value for value in vector["refused"] if rule.permits(limit, value)] == []


@pytest.mark.parametrize("vector", named(VECTORS["malformed"]))
def test_a_detail_that_is_not_understood_is_refused(side, vector) -> None:
    reading, *_ = side
    with pytest.raises(ValueError, match=r"."):
        reading.detail(detail(**vector["detail"]))


@pytest.mark.parametrize("value", [None, [], "mcp_tool", 1, {}, {"type": "mcp_tool"}, {"type": ["mcp_tool"]}])
def test_what_is_no_detail_is_refused(side, value) -> None:
    reading, *_ = side
    with pytest.raises(ValueError, match=r"."):
        reading.detail(value)


@pytest.mark.parametrize("vector", named(VECTORS["calls"]))
def test_a_call_is_let_through_or_refused_by_its_arguments(vector) -> None:
    limits = guard.from_claim([detail(**vector["detail"])], LOCATION)
    assert [call for call in vector["permitted"] if limits.breach("read_note", call)] == []
    assert [call for call in vector["refused"] if not limits.breach("read_note", call)] == []


@pytest.mark.parametrize("vector", named(VECTORS["rules"] + VECTORS["calls"]))
def test_what_is_written_is_read_as_the_same(vector) -> None:
    members = vector["detail"] if "detail" in vector else {"limits": {"/a": vector["rule"]}}
    found = server_reading.detail(detail(**members))
    assert server_reading.detail(writing.detail(found)) == found
    assert writing.detail(server_reading.detail(writing.detail(found))) == writing.detail(found)


def test_text_that_has_to_be_looked_at_is_short(side) -> None:
    reading, rule, _ = side
    for words, most in (({"under": ["."]}, 4096), ({"matches": ["**"], "max_length": 5000}, 1000)):
        assert rule.permits(reading.rule(words).limit, "x" * most)
        assert not rule.permits(reading.rule(words).limit, "x" * (most + 1))


def test_a_list_that_has_to_be_looked_at_has_100_items_at_most(side) -> None:
    reading, rule, _ = side
    looked_at, let_be = (reading.rule({"items": items}).limit for items in ({"values": [1]}, {}))
    assert rule.permits(looked_at, [1] * 100)
    assert not rule.permits(looked_at, [1] * 101)
    assert rule.permits(let_be, [1] * 1000)


def test_the_example_on_the_page_is_a_good_one(side) -> None:
    reading, *_ = side
    page = Path(__file__).parents[2].joinpath("docs", "limits.md").read_text("utf-8")
    example = json.loads(page.partition("```json\n")[2].partition("```")[0])
    assert [sorted(reading.detail(value).tools) for value in example] == [["list_notes", "read_note"], ["search"]]


def test_one_meaning_has_one_form() -> None:
    one = detail(tools=["b", "a"], limits={"/y": {"under": ["/w//x/", "/v/."]}, "/x": {"values": [2, 1]}})
    other = detail(
        tools=["a", "b"],
        limits={"/x": {"values": [1, 2], "optional": False}, "/y": {"under": ["/v", "/w/x"], "ignore_case": False}},
        additional="deny",
    )
    assert writing.detail(server_reading.detail(one)) == writing.detail(server_reading.detail(other))


@pytest.mark.parametrize(
    ("rule", "words"),
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
def test_a_rule_has_words_for_people(side, rule, words) -> None:
    reading, _, speak = side
    assert speak.of_rule(reading.rule(rule)) == words
