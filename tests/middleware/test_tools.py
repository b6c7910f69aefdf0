"""Which scopes a call needs, whatever body it hides in."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp_types import Tool, ToolAnnotations

from mcp_token_guard import Guard, by_annotations, messages
from mcp_token_guard.refusals import BodyMalformed
from mcp_token_guard.tools import ScopeRules
from tests.middleware.asgi_client import Client, tool_call
from tests.middleware.issuer import RESOURCE, Issuer

pytestmark = pytest.mark.requirement("RS-5")

RULES = ScopeRules(("read",), {"look": (), "write": "write", "wipe": ["wipe", "write"]})


def needed(body: object) -> tuple[str, ...]:
    return RULES.needed(messages.parse(json.dumps(body).encode()))


def test_each_tool_needs_its_scopes_and_the_base_set() -> None:
    assert needed(tool_call("look")) == ("read",)
    assert needed(tool_call("write")) == ("read", "write")
    assert needed(tool_call("wipe")) == ("read", "wipe", "write")


def test_other_methods_need_the_base_set() -> None:
    for method in ("initialize", "tools/list", "ping", "Tools/Call", "tools/call ", "notifications/initialized"):
        assert needed({"jsonrpc": "2.0", "id": 1, "method": method}) == ("read",)
    assert needed({"jsonrpc": "2.0", "id": 1, "result": {"name": "wipe"}}) == ("read",)


def test_a_tool_without_a_rule_needs_every_scope_that_a_rule_names() -> None:
    for name in ("unknown", "Write", "write ", "wrіte", "look\x00", ""):
        assert set(needed(tool_call(name))) == {"read", "write", "wipe"}


def test_the_default_may_be_chosen() -> None:
    rules = ScopeRules(("read",), {"wipe": "wipe"}, default="other")
    assert rules.needed(messages.parse(json.dumps(tool_call("unknown")).encode())) == ("read", "other")


def test_without_rules_every_tool_needs_the_base_set() -> None:
    rules = ScopeRules(("read",), {})
    assert rules.needed(messages.parse(json.dumps(tool_call("any")).encode())) == ("read",)


def test_every_call_of_a_batch_counts() -> None:
    ping = {"jsonrpc": "2.0", "id": 0, "method": "ping"}
    assert needed([ping, tool_call("look")]) == ("read",)
    assert needed([ping, tool_call("look"), tool_call("wipe"), ping]) == ("read", "wipe", "write")


def test_scopes_follow_from_annotations() -> None:
    schema: dict[str, Any] = {"type": "object"}
    tools: list[object] = [
        Tool(name="look", input_schema=schema, annotations=ToolAnnotations(read_only_hint=True)),
        Tool(name="add", input_schema=schema, annotations=ToolAnnotations(destructive_hint=False)),
        Tool(name="wipe", input_schema=schema, annotations=ToolAnnotations(destructive_hint=True)),
        Tool(name="half", input_schema=schema, annotations=ToolAnnotations(read_only_hint=False)),
        Tool(name="bare", input_schema=schema),
        {"name": "wire", "annotations": {"readOnlyHint": True, "destructiveHint": True}},
        {"name": "told", "annotations": {"readOnlyHint": "true"}},
    ]
    assert by_annotations(tools, read="r", write="w", destructive=["d", "w"]) == {
        "look": ("r",),
        "add": ("w",),
        "wipe": ("d", "w"),
        "half": ("d", "w"),
        "bare": ("d", "w"),
        "wire": ("r",),
        "told": ("d", "w"),
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe{\x00}\x00",
        json.dumps(tool_call("wipe")).encode("utf-16"),
        b"\xef\xbb\xbf" + json.dumps(tool_call("look")).encode(),
        b'{"method": "tools/call", "params": {"name": "look", "name": "wipe"}}',
        b'{"method": "ping", "method": "tools/call", "params": {"name": "wipe"}}',
        b'{"method": "tools/call", "params": {"name": "look"}, "params": {"name": "wipe"}}',
        b'{"method": "tools/call", "params": {"name": "look", "\\u006eame": "wipe"}}',
        b'{"method": "tools/call", "params": {"name": "look", "arguments": {"a": 1, "a": 2}}}',
        b'{"method": "ping", "id": NaN}',
        b'{"method": "ping", "params": {"x": Infinity}}',
        b"[" * 100_000,
        b'{"id": ' + b"9" * 5000 + b"}",
        b"{} {}",
        b"{}\x00",
    ],
)
def test_a_body_that_two_readers_could_read_in_two_ways_is_refused(body: bytes) -> None:
    with pytest.raises(BodyMalformed) as caught:
        messages.parse(body)
    assert caught.value.code == -32700


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("text", -32600),
        (5, -32600),
        (None, -32600),
        ([], -32600),
        ([tool_call("look")] * 101, -32600),
        ([[tool_call("wipe")]], -32600),
        ([1], -32600),
        ({"method": None, "params": {"name": "wipe"}}, -32600),
        ({"method": ["tools/call"], "id": 1}, -32600),
        ({"method": "ping", "id": {"a": 1}}, -32600),
        ({"method": "ping", "id": 1.5}, -32600),
        ({"method": "ping", "id": True}, -32600),
        ({"method": "tools/call", "id": 1}, -32602),
        ({"method": "tools/call", "id": 1, "params": ["wipe"]}, -32602),
        ({"method": "tools/call", "id": 1, "params": {"name": ["wipe"]}}, -32602),
        ({"method": "tools/call", "id": 1, "params": {"Name": "wipe"}}, -32600),
        ({"method": "resources/read", "id": 1, "params": {}}, -32602),
        ({"method": "prompts/get", "id": 1, "params": {"name": 3}}, -32602),
    ],
)
def test_json_that_is_no_message_is_refused(body: object, code: int) -> None:
    with pytest.raises(BodyMalformed) as caught:
        messages.parse(json.dumps(body).encode())
    assert caught.value.code == code


@given(st.binary())
def test_no_bytes_break_the_parser(body: bytes) -> None:
    for parse in (messages.parse, messages.find):
        try:
            parse(body)
        except BodyMalformed as refusal:
            assert refusal.message.isprintable()


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NEARLY_MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.just("2.0") | JSON_VALUES,
        "id": st.integers() | st.text() | JSON_VALUES,
        "method": st.sampled_from(["tools/call", "prompts/get", "resources/read", "ping"]) | JSON_VALUES,
        "params": st.fixed_dictionaries({}, optional={"name": st.sampled_from(["wipe", "look"]) | JSON_VALUES})
        | JSON_VALUES,
    },
)


@given(st.one_of(NEARLY_MESSAGES, st.lists(NEARLY_MESSAGES | JSON_VALUES, max_size=4), JSON_VALUES))
def test_no_call_gets_past_the_parser_unseen(value: object) -> None:
    """Whatever a server would read as a call of ``wipe``, the guard either refuses or asks its scope for."""
    body = json.dumps(value).encode()
    entries = value if isinstance(value, list) else [value]
    hidden = any(
        isinstance(entry, dict)
        and entry.get("method") == "tools/call"
        and isinstance(entry.get("params"), dict)
        and entry["params"].get("name") == "wipe"
        for entry in entries
    )
    for parse in (messages.parse, messages.find):
        try:
            asked = parse(body)
        except BodyMalformed:
            continue
        assert ("wipe" in RULES.needed(asked)) >= hidden


async def test_calls_are_admitted_by_their_scopes(client: Client, issuer: Issuer) -> None:
    reader, writer = issuer.token(), issuer.token(scope="notes:read notes:write")
    assert (await client.call("read_note", token=reader)).status == 200
    assert (await client.call("write_note", token=reader)).status == 403
    assert (await client.call("write_note", token=writer)).status == 200
    assert (await client.call("delete_note", token=writer)).status == 403
    assert (await client.call("made_up", token=writer)).status == 403
    batch = [tool_call("read_note", 1), tool_call("write_note", 2)]
    answer = await client.send(body=batch, token=reader)
    assert (answer.status, json.loads(answer.body)["id"]) == (403, None)
    assert answer.error["data"]["scope"] == "notes:read notes:write"
    assert (await client.send(body=batch, token=writer)).status == 200
    assert len(client.app.calls) == 3


async def test_a_broader_scope_opens_the_narrower_tool(issuer: Issuer) -> None:
    guard = Guard(RESOURCE, issuer=issuer.url, scopes="read", tools={"write": "write"}, implies={"all": "read write"})
    client = Client(guard)
    assert (await client.call("write", token=issuer.token(scope="all"))).status == 200
    assert (await client.call("write", token=issuer.token(scope="read"))).status == 403


@pytest.mark.parametrize("path", ["/mcp/", "//mcp", "/MCP", "/%6dcp", "/x/../mcp", "/other", "/messages/", "/"])
async def test_a_call_is_judged_at_whatever_path_it_arrives(client: Client, issuer: Issuer, path: str) -> None:
    answer = await client.call("delete_note", path=path, token=issuer.token())
    assert answer.status == 403
    headers = [("Content-Type", "text/plain; x=application/json")]
    assert (await client.call("delete_note", path=path, token=issuer.token(), headers=headers)).status in (403, 415)
    assert not client.app.calls
