"""What is taken for a receipt of a tool call, and what is refused of a batch without the rest."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.protocol.errors import InvalidRequest
from authserver.protocol.tool_receipt import MOST_RECEIPTS, lost, parse

pytestmark = pytest.mark.requirement("RS-8")

NOW = 1_790_000_000.0
RECEIPT: dict[str, Any] = {
    "id": "0" * 32,
    "time": "2026-09-21T14:13:20.250+00:00",
    "subject": "alice",
    "client": "https://app.example/client.json",
    "family": "family",
    "tool": "read_note",
    "arguments": {"title": "Plans", "size": 5, "rest": None, "done": True},
    "outcome": "ok",
    "status": 200,
    "duration_ms": 1.5,
    "correlation_id": "abc-1",
    "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    "span_id": "00f067aa0ba902b7",
}


def test_a_receipt_is_read_member_by_member():
    [receipt], bad = parse(json.dumps([RECEIPT]), NOW)
    assert bad == ()
    assert receipt.at_ms == 1_790_000_000_250
    assert (receipt.tool, receipt.client, receipt.refused) == ("read_note", RECEIPT["client"], False)
    assert receipt.arguments == RECEIPT["arguments"]


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "short"},
        {"id": "0" * 65},
        {"id": "0" * 31 + "\n"},
        {"id": 1},
        {"time": "yesterday"},
        {"time": "2026-09-21T14:13:20.250"},
        {"time": "2026-09-21T15:13:20.250+00:00"},
        {"time": "9999-12-31T23:59:59.999-23:59"},
        {"time": "0001-01-01T00:00:00.000+14:00"},
        {"time": 1},
        {"subject": ""},
        {"subject": None},
        {"subject": "x" * 257},
        {"client": "x" * 2049},
        {"family": ""},
        {"tool": ["read_note"]},
        {"arguments": []},
        {"arguments": {"a": {"b": 1}}},
        {"arguments": {"a": "x" * 257}},
        {"arguments": {"x" * 257: 1}},
        {"arguments": {str(number): 1 for number in range(33)}},
        {"arguments": {"a": 10**301}},
        {"outcome": "fine"},
        {"outcome": "refused "},
        {"status": 99},
        {"status": True},
        {"status": "200"},
        {"duration_ms": -1},
        {"duration_ms": True},
        {"duration_ms": None},
        {"correlation_id": "a b"},
        {"trace_id": "x" * 32},
        {"span_id": ""},
        {"token": "eyJ"},
        {"grant": "mine"},
    ],
)
def test_what_is_not_as_it_should_be_is_refused_by_index_and_the_rest_is_taken(changes: dict[str, Any]):
    other = {**RECEIPT, "id": "1" * 32}
    good, [bad] = parse(json.dumps([RECEIPT, {**RECEIPT, **changes}, other]), NOW)
    assert [receipt.id for receipt in good] == ["0" * 32, "1" * 32]
    assert bad.index == 1
    assert all(str(value) not in bad.reason for value in changes.values() if len(str(value)) > 8)


@pytest.mark.parametrize("missing", list(RECEIPT))
def test_a_receipt_has_all_its_members(missing: str):
    part = {name: value for name, value in RECEIPT.items() if name != missing}
    assert parse(json.dumps([part]), NOW)[0] == ()


@pytest.mark.parametrize(
    "text",
    ["", "{}", "1", "[", "[" * 100_000, '[{"a": 1, "a": 2}]', "[NaN]", json.dumps([1] * (MOST_RECEIPTS + 1)), "\ud800"],
)
def test_what_is_no_batch_is_refused_whole(text: str):
    with pytest.raises(InvalidRequest):
        parse(text, NOW)


@pytest.mark.parametrize("text", ["-1", "1.5", "x", "99999999999", "²"])
def test_a_number_of_lost_receipts_is_a_number(text: str):
    with pytest.raises(InvalidRequest):
        lost(text)
    assert (lost(None), lost("0"), lost("17")) == (0, 0, 17)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(JSON | st.dictionaries(st.sampled_from(list(RECEIPT)), JSON), max_size=4))
def test_whatever_comes_is_taken_or_refused(batch: list[Any]):
    try:
        good, bad = parse(json.dumps(batch), NOW)
    except InvalidRequest:
        return
    assert len(good) + len(bad) == len(batch)


@given(st.sampled_from(list(RECEIPT)), JSON)
def test_any_value_in_a_members_place_is_taken_or_refused(name: str, value: Any):
    try:
        good, bad = parse(json.dumps([{**RECEIPT, name: value}]), NOW)
    except InvalidRequest:
        return
    assert len(good) + len(bad) == 1
