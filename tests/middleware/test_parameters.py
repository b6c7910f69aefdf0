"""Headers that mirror arguments say what the arguments say (SEP-2243)."""

import base64
from typing import Any

import pytest

from mcp_token_guard import Guard, by_schemas
from tests.middleware.asgi_client import Client, tool_call
from tests.middleware.issuer import RESOURCE, Issuer

pytestmark = pytest.mark.requirement("RS-5")

REGION = {"type": "string", "x-mcp-header": "Region"}
SCHEMA = {
    "type": "object",
    "properties": {
        "region": REGION,
        "size": {"type": "integer", "x-mcp-header": "Size"},
        "where": {"type": "object", "properties": {"dry": {"type": "boolean", "x-mcp-header": "Dry"}}},
        "ratio": {"type": "number", "x-mcp-header": "Ratio"},
        "any": {"anyOf": [REGION]},
        "text": {"type": "string"},
    },
}


@pytest.fixture
def client(issuer: Issuer) -> Client:
    mirrored = by_schemas([{"name": "query", "inputSchema": SCHEMA}, {"name": "bare"}])
    assert mirrored == {"query": {"region": ("region",), "size": ("size",), "dry": ("where", "dry")}}
    return Client(Guard(RESOURCE, issuer=issuer.url, scopes="notes:read", mirrored=mirrored))


async def status(client: Client, issuer: Issuer, arguments: dict[str, Any], *headers: tuple[str, str]) -> int:
    lines = [("Content-Type", "application/json"), *headers]
    answer = await client.send(body=tool_call("query", 7, **arguments), headers=lines, token=issuer.token())
    if answer.status == 400:
        assert answer.error["code"] == -32020
        assert b'"id": 7' in answer.body
    return answer.status


def sentinel(text: str) -> str:
    return f"=?base64?{base64.b64encode(text.encode()).decode()}?="


@pytest.mark.parametrize(
    ("arguments", "headers"),
    [
        ({}, ()),
        ({"region": None}, ()),
        ({"region": "eu"}, (("Mcp-Param-Region", "eu"),)),
        ({"region": "Grüße"}, (("MCP-PARAM-REGION", sentinel("Grüße")),)),
        ({"size": 42}, (("Mcp-Param-Size", "42.0"),)),
        ({"size": -7, "where": {"dry": True}}, (("Mcp-Param-Size", "-7"), ("Mcp-Param-Dry", "true"))),
        ({"text": "x"}, (("Mcp-Param-Other", "anything"),)),
    ],
)
async def test_headers_that_agree_with_the_arguments_pass(
    client: Client, issuer: Issuer, arguments: dict[str, Any], headers: tuple[tuple[str, str], ...]
) -> None:
    assert await status(client, issuer, arguments, *headers) == 200


@pytest.mark.parametrize(
    ("arguments", "headers"),
    [
        ({"region": "eu"}, ()),
        ({}, (("Mcp-Param-Region", "eu"),)),
        ({"region": "us"}, (("Mcp-Param-Region", "eu"),)),
        ({"region": "eu"}, (("Mcp-Param-Region", "EU"),)),
        ({"region": "eu"}, (("Mcp-Param-Region", "eu"), ("Mcp-Param-Region", "eu"))),
        ({"region": "eu"}, (("Mcp-Param-Region", sentinel("us")),)),
        ({"region": "eu"}, (("Mcp-Param-Region", "=?base64?ZXU?="),)),
        ({"region": "é"}, (("Mcp-Param-Region", "\xe9"),)),
        ({"region": ["eu"]}, (("Mcp-Param-Region", "eu"),)),
        ({"size": 42}, (("Mcp-Param-Size", "43"),)),
        ({"size": 42}, (("Mcp-Param-Size", "4_2"),)),
        ({"size": 42}, (("Mcp-Param-Size", "42.5"),)),
        ({"where": {"dry": True}}, (("Mcp-Param-Dry", "True"),)),
        ({"where": {"dry": True}}, (("Mcp-Param-Dry", "1"),)),
        ({"where": []}, (("Mcp-Param-Dry", "true"),)),
        ({"text": "x"}, (("Mcp-Param-Other", "a"), ("Mcp-Param-Other", "b"))),
    ],
)
async def test_headers_that_say_something_else_are_refused(
    client: Client, issuer: Issuer, arguments: dict[str, Any], headers: tuple[tuple[str, str], ...]
) -> None:
    assert await status(client, issuer, arguments, *headers) == 400
    assert not client.app.calls
