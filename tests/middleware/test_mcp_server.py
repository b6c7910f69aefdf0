"""The guard before a real MCP server, asked by the SDK's real client, in both eras of the protocol."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
from mcp import Client, MCPError
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.mcpserver import MCPServer
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthToken,
)
from pydantic import AnyUrl

from demo.notes import create_app
from mcp_token_guard import Guard
from mcp_token_guard.adapters.mcp_sdk import CallerAsUser, GuardTokenVerifier, auth_settings
from tests.middleware.asgi_client import tool_call
from tests.middleware.issuer import Issuer, es256
from tests.middleware.served import listener, serving_app

ERAS = ["legacy", "2026-07-28"]
ALL = "notes:read notes:write notes:delete"
ACCEPT = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}


@pytest.fixture
def notes(issuer: Issuer) -> Iterator[str]:
    """The demo's server, and its URL."""
    listening = listener()
    resource = f"http://localhost:{listening.getsockname()[1]}/mcp"
    with serving_app(create_app(resource, issuer.url), listening):
        yield resource


@asynccontextmanager
async def connected(url: str, token: str, mode: Any) -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=10) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):
        yield client


def text(result: Any) -> str:
    return " ".join(part.text for part in result.content)


@pytest.mark.requirement("RS-1", "RS-5")
@pytest.mark.parametrize("mode", ERAS)
async def test_a_client_lists_and_calls_what_its_token_opens(notes: str, issuer: Issuer, mode: str) -> None:
    token = issuer.token(aud=notes, scope=ALL)
    async with connected(notes, token, mode) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert sorted(tools) == ["delete_note", "list_notes", "read_note", "write_note"]
        annotations = {name: tool.annotations for name, tool in tools.items()}
        assert annotations["list_notes"].read_only_hint
        assert annotations["delete_note"].destructive_hint
        assert annotations["write_note"].destructive_hint is False
        assert "Kept" in text(await client.call_tool("write_note", {"title": "Grüße", "text": "one"}))
        await client.call_tool("write_note", {"title": "Grüße", "text": "two"})
        assert text(await client.call_tool("read_note", {"title": "Grüße"})) == "one\ntwo"
        assert "Grüße" in text(await client.call_tool("list_notes"))
        assert "Deleted" in text(await client.call_tool("delete_note", {"title": "Grüße"}))
        missing = await client.call_tool("read_note", {"title": "Grüße"})
        assert missing.is_error
        assert "no note" in text(missing)


@pytest.mark.requirement("RS-3", "RS-5")
@pytest.mark.parametrize("mode", ERAS)
async def test_a_call_outside_the_scopes_never_reaches_its_tool(notes: str, issuer: Issuer, mode: str) -> None:
    async with connected(notes, issuer.token(aud=notes, scope=ALL), mode) as client:
        await client.call_tool("write_note", {"title": "mine", "text": "here"})
    async with connected(notes, issuer.token(aud=notes), mode) as client:
        for tool, scopes in (("delete_note", "notes:read notes:delete"), ("write_note", "notes:read notes:write")):
            with pytest.raises(MCPError) as caught:
                await client.call_tool(tool, {"title": "mine", "text": "gone"})
            assert caught.value.error.code == 403
            assert caught.value.error.data == {"error": "insufficient_scope", "scope": scopes}
        assert text(await client.call_tool("read_note", {"title": "mine"})) == "here"


@pytest.mark.requirement("RS-1")
@pytest.mark.parametrize("mode", ERAS)
async def test_people_have_their_own_notes(notes: str, issuer: Issuer, mode: str) -> None:
    alice, bob = (issuer.token(aud=notes, sub=name, scope=ALL) for name in ("alice", "bob"))
    async with connected(notes, alice, mode) as first, connected(notes, bob, mode) as second:
        await first.call_tool("write_note", {"title": "a", "text": "of alice"})
        await second.call_tool("write_note", {"title": "b", "text": "of bob"})
        assert "b" not in text(await first.call_tool("list_notes"))
        assert (await second.call_tool("read_note", {"title": "a"})).is_error
        assert text(await second.call_tool("read_note", {"title": "b"})) == "of bob"


async def begin_session(http: httpx2.AsyncClient, url: str, token: str) -> dict[str, str]:
    """The headers of a session of revision 2025-11-25."""
    headers = {**ACCEPT, "Authorization": f"Bearer {token}"}
    response = await http.post(url, json=INITIALIZE, headers=headers)
    assert response.status_code == 200
    headers["Mcp-Session-Id"] = response.headers["mcp-session-id"]
    await http.post(url, json={"jsonrpc": "2.0", "method": "notifications/initialized"}, headers=headers)
    return headers


@pytest.mark.requirement("RS-1")
async def test_a_session_belongs_to_who_began_it(notes: str, issuer: Issuer) -> None:
    async with httpx2.AsyncClient(timeout=10) as http:
        headers = await begin_session(http, notes, issuer.token(aud=notes))
        mine = await http.post(notes, json=tool_call("list_notes"), headers=headers)
        assert mine.status_code == 200
        renewed = {**headers, "Authorization": f"Bearer {issuer.token(aud=notes, jti='2')}"}
        assert (await http.post(notes, json=tool_call("list_notes"), headers=renewed)).status_code == 200
        others: list[dict[str, Any]] = [{"sub": "bob"}, {"client_id": "another"}]
        for other in others:
            stolen = {**headers, "Authorization": f"Bearer {issuer.token(aud=notes, **other)}"}
            assert (await http.post(notes, json=tool_call("list_notes"), headers=stolen)).status_code == 404


@pytest.mark.requirement("RS-5")
async def test_in_a_session_each_call_is_judged_by_its_own_token(notes: str, issuer: Issuer) -> None:
    call = tool_call("write_note", title="t", text="x")
    async with httpx2.AsyncClient(timeout=10) as http:
        headers = await begin_session(http, notes, issuer.token(aud=notes))
        refused = await http.post(notes, json=call, headers=headers)
        assert (refused.status_code, refused.json()["id"]) == (403, 1)
        assert 'scope="notes:read notes:write"' in refused.headers["www-authenticate"]
        wider = {**headers, "Authorization": f"Bearer {issuer.token(aud=notes, scope=ALL)}"}
        assert "Kept" in (await http.post(notes, json=call, headers=wider)).text
        expired = {**headers, "Authorization": f"Bearer {issuer.token(aud=notes, exp=1)}"}
        assert (await http.post(notes, json=call, headers=expired)).status_code == 401


@pytest.mark.requirement("DI-7", "RS-4")
async def test_a_browser_may_ask_over_the_wire(notes: str, issuer: Issuer) -> None:
    asked = "authorization,content-type,mcp-protocol-version,mcp-param-region"
    origin = {"Origin": "http://localhost:6274"}
    async with httpx2.AsyncClient(timeout=10) as http:
        preflight = await http.options(
            notes, headers={**origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": asked}
        )
        assert (preflight.status_code, preflight.headers["access-control-allow-headers"]) == (204, asked)
        headers = {**ACCEPT, **origin, "Authorization": f"Bearer {issuer.token(aud=notes)}"}
        answer = await http.post(notes, json=INITIALIZE, headers=headers)
        assert answer.status_code == 200
        assert answer.headers.get_list("access-control-allow-origin") == ["*"]
        assert "Mcp-Session-Id" in answer.headers["access-control-expose-headers"]


class Memory:
    """What the SDK's OAuth client keeps."""

    tokens: OAuthToken | None = None
    client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


@pytest.mark.requirement("RS-3", "RS-4", "RS-5", "DI-6")
@pytest.mark.parametrize("mode", ERAS)
async def test_the_sdks_client_finds_its_way_by_the_challenges_alone(notes: str, issuer: Issuer, mode: Any) -> None:
    """From the first 401 through the metadata to a token, and from the 403 to a wider one."""
    asked: list[dict[str, str]] = []

    async def visit(url: str) -> None:
        asked.append(dict(parse_qsl(urlsplit(url).query)))

    async def come_back() -> AuthorizationCodeResult:
        return AuthorizationCodeResult(code=issuer.code(asked[-1]), state=asked[-1]["state"], iss=issuer.url)

    metadata = OAuthClientMetadata(redirect_uris=[AnyUrl("http://localhost:1/callback")], client_name="test")
    provider = OAuthClientProvider(notes, metadata, Memory(), visit, come_back)
    async with (
        httpx2.AsyncClient(auth=provider, timeout=10) as http,
        Client(streamable_http_client(notes, http_client=http), mode=mode) as client,
    ):
        assert not (await client.call_tool("list_notes")).is_error
        assert [(request["scope"], request["resource"]) for request in asked] == [("notes:read", notes)]
        assert "Kept" in text(await client.call_tool("write_note", {"title": "t", "text": "x"}))
        assert [request["scope"] for request in asked[1:]] == ["notes:read notes:write"]
        assert "Deleted" in text(await client.call_tool("delete_note", {"title": "t"}))
        assert [set(request["scope"].split()) for request in asked[2:]] == [set(ALL.split())]


@pytest.mark.requirement("EX-7")
@pytest.mark.parametrize("mode", ERAS)
async def test_a_client_reads_which_limit_its_call_breaks_and_goes_on(notes: str, issuer: Issuer, mode: str) -> None:
    limits = {"/title": {"matches": ["work *"]}}
    detail = {"type": "mcp_tool", "locations": [notes], "tools": ["write_note"], "limits": {**limits, "/text": {}}}
    token = issuer.token(aud=notes, scope=ALL, authorization_details=[detail])
    async with connected(notes, token, mode) as client:
        with pytest.raises(MCPError, match="write_note: /title may be like work") as refused:
            await client.call_tool("write_note", {"title": "private", "text": "x"})
        assert refused.value.error.data["error"] == "insufficient_authorization"
        with pytest.raises(MCPError, match="not allowed"):
            await client.call_tool("delete_note", {"title": "work a"})
        assert "Kept" in text(await client.call_tool("write_note", {"title": "work a", "text": "x"}))


@pytest.mark.requirement("RS-1", "EX-7")
async def test_the_sdks_own_authorization_can_judge_by_the_guard(issuer: Issuer) -> None:
    listening = listener()
    resource = f"http://localhost:{listening.getsockname()[1]}/mcp"
    guard = Guard(resource, issuer=issuer.url, scopes=["notes:read"])
    server = MCPServer("own", token_verifier=GuardTokenVerifier(guard), auth=auth_settings(guard))

    @server.tool()
    def who() -> str:
        token = get_access_token()
        return f"{token.subject} {token.client_id} {token.scopes}" if token else "nobody"

    with serving_app(server.streamable_http_app(), listening):
        async with connected(resource, issuer.token(aud=resource), "auto") as client:
            assert text(await client.call_tool("who")) == "alice a-client ['notes:read']"
        async with httpx2.AsyncClient(timeout=10) as http:
            limited = issuer.token(aud=resource, authorization_details=[])
            for token in (issuer.token(), issuer.token(es256("stranger"), aud=resource), limited, "x"):
                headers = {**ACCEPT, "Authorization": f"Bearer {token}"}
                assert (await http.post(resource, json=INITIALIZE, headers=headers)).status_code == 401


@pytest.mark.requirement("RS-1")
async def test_the_sdks_tools_see_the_caller_but_not_the_token(issuer: Issuer) -> None:
    listening = listener()
    resource = f"http://localhost:{listening.getsockname()[1]}/mcp"
    server = MCPServer("user")

    @server.tool()
    def who() -> str:
        token = get_access_token()
        return json.dumps(token.model_dump(include={"token", "subject", "resource"})) if token else ""

    guard = Guard(resource, issuer=issuer.url, scopes=["notes:read"])
    with serving_app(guard.asgi(CallerAsUser(server.streamable_http_app())), listening):
        async with connected(resource, issuer.token(aud=[resource]), "auto") as client:
            seen = json.loads(text(await client.call_tool("who")))
    assert seen == {"token": "", "subject": "alice", "resource": resource}


@pytest.mark.requirement("RS-7")
async def test_calls_at_one_time_are_all_answered(notes: str, issuer: Issuer) -> None:
    async with connected(notes, issuer.token(aud=notes, scope=ALL), "auto") as client:
        titles = [f"n{number}" for number in range(20)]
        await asyncio.gather(*(client.call_tool("write_note", {"title": t, "text": t}) for t in titles))
        answers = await asyncio.gather(*(client.call_tool("read_note", {"title": t}) for t in titles))
    assert [text(answer) for answer in answers] == titles
