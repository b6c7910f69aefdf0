"""The headers that mirror the body must agree with it (SEP-2243)."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp.shared.inbound import decode_header_value, encode_header_value

from mcp_token_guard.mirrored import decoded
from tests.middleware.asgi_client import Client, tool_call
from tests.middleware.issuer import Issuer

pytestmark = pytest.mark.requirement("RS-5")

NOW = ("MCP-Protocol-Version", "2026-07-28")
CALL = ("Mcp-Method", "tools/call")


def sentinel(name: str) -> str:
    return f"=?base64?{base64.b64encode(name.encode()).decode()}?="


async def status(client: Client, issuer: Issuer, *headers: tuple[str, str], body: object = None) -> int:
    body = body or tool_call("read_note", 9)
    lines = [("Content-Type", "application/json"), *headers]
    answer = await client.send(body=body, headers=lines, token=issuer.token())
    if answer.status == 400:
        assert answer.error["code"] == -32020
        assert "www-authenticate" not in answer.headers
        assert b'"id": 9' in answer.body or isinstance(body, list)
    return answer.status


@pytest.mark.parametrize("name", ["read_note", sentinel("read_note")])
async def test_headers_that_agree_pass(client: Client, issuer: Issuer, name: str) -> None:
    assert await status(client, issuer, NOW, CALL, ("Mcp-Name", name)) == 200


@pytest.mark.parametrize(
    "name",
    [
        "write_note",
        "READ_NOTE",
        "read_note2",
        "",
        sentinel("write_note"),
        "=?BASE64?cmVhZF9ub3Rl?=",
        "=?base64?cmVhZF9ub3Rl",
        "=?base64?cmVh ZF9ub3Rl?=",
        "=?base64?cmVhZF9ub3R?=",
        "=?base64?/////?=",
        "=?base64??=",
        "read_note\xe9",
    ],
)
@pytest.mark.parametrize("version", [(), (NOW,), (("MCP-Protocol-Version", "2025-11-25"),)])
async def test_a_name_that_disagrees_is_refused(
    client: Client, issuer: Issuer, name: str, version: tuple[tuple[str, str], ...]
) -> None:
    assert await status(client, issuer, *version, CALL, ("Mcp-Name", name)) == 400
    assert not client.app.calls


async def test_a_method_that_disagrees_is_refused(client: Client, issuer: Issuer) -> None:
    for method in ("tools/list", "Tools/Call", "", sentinel("tools/call")):
        assert await status(client, issuer, NOW, ("Mcp-Method", method), ("Mcp-Name", "read_note")) == 400
        assert await status(client, issuer, ("Mcp-Method", method)) == 400


async def test_the_newest_revision_requires_both_and_older_ones_neither(client: Client, issuer: Issuer) -> None:
    assert await status(client, issuer, NOW) == 400
    assert await status(client, issuer, NOW, CALL) == 400
    assert await status(client, issuer, NOW, ("Mcp-Name", "read_note")) == 400
    assert await status(client, issuer, ("MCP-Protocol-Version", "2027-01-01")) == 400
    for version in ("2025-11-25", "2025-06-18", "2025-03-26", "2024-10-07"):
        assert await status(client, issuer, ("MCP-Protocol-Version", version)) == 200
    assert await status(client, issuer) == 200


async def test_methods_without_a_name_need_no_name(client: Client, issuer: Issuer) -> None:
    listing = {"jsonrpc": "2.0", "id": 9, "method": "tools/list"}
    assert await status(client, issuer, NOW, ("Mcp-Method", "tools/list"), body=listing) == 200
    notification = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    assert await status(client, issuer, NOW, body=notification) == 200


async def test_resources_and_prompts_are_compared_too(client: Client, issuer: Issuer) -> None:
    for method, member in (("resources/read", "uri"), ("prompts/get", "name")):
        body = {"jsonrpc": "2.0", "id": 9, "method": method, "params": {member: "file:///Grüße"}}
        headers = (NOW, ("Mcp-Method", method))
        assert await status(client, issuer, *headers, ("Mcp-Name", sentinel("file:///Grüße")), body=body) == 200
        assert await status(client, issuer, *headers, ("Mcp-Name", "file:///else"), body=body) == 400


async def test_a_header_sent_twice_is_refused(client: Client, issuer: Issuer) -> None:
    headers = (NOW, CALL, ("Mcp-Name", "read_note"))
    for repeated in headers:
        assert await status(client, issuer, *headers, repeated) == 400


async def test_no_message_of_a_batch_hides_behind_the_headers(client: Client, issuer: Issuer) -> None:
    batch = [tool_call("read_note", 1), {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}]
    assert await status(client, issuer, CALL, ("Mcp-Name", "read_note"), body=batch) == 400
    assert await status(client, issuer, body=batch) == 200


def test_a_name_has_one_encoding() -> None:
    assert decoded("=?base64?YQ==?=") == "a"
    for other in ("=?base64?YR==?=", "=?base64?YQ?=", "=?base64?YQ===?=", "=?base64?Y Q==?=", "=?base64?YQ==\n?="):
        assert decoded(other) is None


@given(st.text())
def test_what_the_sdk_encodes_is_decoded(name: str) -> None:
    assert decoded(encode_header_value(name)) == name


@given(st.text(alphabet="=?base64Zm9v/+ \n", max_size=30).map(lambda middle: f"=?base64?{middle}?="))
def test_a_sentinel_means_what_it_means_to_the_sdk(value: str) -> None:
    if "\n" not in value:
        assert decoded(value) == decode_header_value(value)
