"""The SDK's own client is given what stands in its way: it asks for the scopes of each challenge once, and goes on."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
from mcp import Client, MCPError
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata
from pydantic import AnyUrl

from demo.notes import create_server
from mcp_token_guard import Guard, by_annotations
from tests.middleware.granting import PERMISSION, Granting, key_file
from tests.middleware.issuer import Issuer
from tests.middleware.served import listener, serving_app
from tests.middleware.test_mcp_server import ERAS, Memory, text

pytestmark = pytest.mark.requirement("RS-3", "RS-5", "EX-7")


@pytest.fixture
def granting(issuer: Issuer, tmp_path: Path) -> Iterator[Granting]:
    """The demo's tools behind a guard that wants a permission for each deletion."""
    listening, server = listener(), create_server()
    resource = f"http://localhost:{listening.getsockname()[1]}/mcp"
    tools = by_annotations(asyncio.run(server.list_tools()), read=(), write="notes:write", destructive="notes:write")
    guard = Guard(
        resource,
        issuer=issuer.url,
        scopes="notes:read",
        tools=tools,
        once="delete_note",
        identity=key_file(tmp_path),
    )
    with serving_app(guard.asgi(server.streamable_http_app()), listening):
        yield Granting(issuer, resource)


@asynccontextmanager
async def connected(granting: Granting, asked: list[str], mode: Any) -> AsyncIterator[Client]:
    """A client whose person agrees to all that is *asked*."""
    requests: list[dict[str, str]] = []

    async def visit(url: str) -> None:
        requests.append(dict(parse_qsl(urlsplit(url).query)))
        asked.append(requests[-1]["scope"])

    async def come_back() -> AuthorizationCodeResult:
        code, state = granting.issuer.code(requests[-1]), requests[-1]["state"]
        return AuthorizationCodeResult(code=code, state=state, iss=granting.issuer.url)

    metadata = OAuthClientMetadata(redirect_uris=[AnyUrl("http://localhost:1/callback")], client_name="test")
    provider = OAuthClientProvider(granting.resource, metadata, Memory(), visit, come_back)
    async with (
        httpx2.AsyncClient(auth=provider, timeout=10) as http,
        Client(streamable_http_client(granting.resource, http_client=http), mode=mode) as client,
    ):
        yield client


@pytest.mark.parametrize("mode", ERAS)
async def test_a_client_steps_up_to_each_thing_once(granting: Granting, mode: Any) -> None:
    limits = {"/title": {"matches": ["work *"]}, "/text": {}}
    granting.details = [granting.detail("write_note", limits=limits)]
    asked: list[str] = []
    async with connected(granting, asked, mode) as client:
        await client.list_tools()  # a request is challenged once: the first one for having no token
        assert asked.pop() == "notes:read"
        await client.call_tool("list_notes")
        assert asked.pop() == "notes:read tool:list_notes"
        for _ in range(2):
            assert "Kept" in text(await client.call_tool("write_note", {"title": "private", "text": "x"}))
        [limit] = granting.registered
        # The SDK asks for what it was challenged with before, too.
        assert asked.pop() == f"notes:read tool:list_notes notes:write {limit}"
        assert not asked
        assert "Deleted" in text(await client.call_tool("delete_note", {"title": "private"}))
        assert (await client.call_tool("delete_note", {"title": "private"})).is_error, "it is gone, as the tool says"
        assert asked == [f"notes:read tool:list_notes notes:write {limit} tool:delete_note:once"] * 2
    assert (granting.announced, granting.fresh) == (["list_notes", *["delete_note:once"] * 2], set())


@pytest.mark.parametrize("mode", ERAS)
async def test_a_client_that_is_given_nothing_asks_once_and_is_told_why(granting: Granting, mode: Any) -> None:
    granting.issuer.answers[PERMISSION] = {"consumed": False}
    asked: list[str] = []
    async with connected(granting, asked, mode) as client:
        await client.list_tools()
        with pytest.raises(MCPError, match="allowed once"):
            await client.call_tool("delete_note", {"title": "a"})
    assert len(asked) == 2
    assert granting.posted(PERMISSION) == 1
