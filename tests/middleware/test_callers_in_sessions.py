"""In a session of revisions up to 2025-11-25, a tool sees the caller of the call, not of the start."""

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from fastmcp import FastMCP
from mcp.server.mcpserver import MCPServer

from mcp_token_guard import Guard, current_caller, requires
from mcp_token_guard.adapters import mcp_sdk
from mcp_token_guard.adapters.fastmcp import GuardAuth
from mcp_token_guard.adapters.mcp_sdk import CallerAsUser
from tests.middleware.asgi_client import tool_call
from tests.middleware.issuer import Issuer
from tests.middleware.served import listener, serving_app
from tests.middleware.test_mcp_server import begin_session


def on_sdk(guard: Guard, *tools: Callable[..., Any]) -> Any:
    server = MCPServer("sessions")
    for tool in tools:
        server.tool()(tool)
    return guard.asgi(CallerAsUser(server.streamable_http_app()))


def on_fastmcp(guard: Guard, *tools: Callable[..., Any]) -> Any:
    server: Any = FastMCP("sessions", auth=GuardAuth(guard))
    for tool in tools:
        server.tool()(tool)
    return server.http_app()


@pytest.mark.requirement("RS-1", "RS-5")
@pytest.mark.parametrize(("build", "requires"), [(on_sdk, mcp_sdk.requires), (on_fastmcp, requires)])
async def test_each_call_of_a_session_has_its_own_callers_scopes(issuer: Issuer, build: Any, requires: Any) -> None:
    def who() -> str:
        return " ".join(sorted(current_caller().scopes))

    @requires("write")
    def change() -> str:
        return "changed"

    listening = listener()
    resource = f"http://localhost:{listening.getsockname()[1]}/mcp"
    guard = Guard(resource, issuer=issuer.url, scopes="read")
    with serving_app(build(guard, who, change), listening):
        async with httpx2.AsyncClient(timeout=10) as http:
            wide = await begin_session(http, resource, issuer.token(aud=resource, scope="read write"))
            narrow = {**wide, "Authorization": f"Bearer {issuer.token(aud=resource, scope='read')}"}

            async def call(tool: str, headers: dict[str, str]) -> str:
                response = await http.post(resource, json=tool_call(tool), headers=headers)
                [data] = [
                    line[5:] for line in response.text.splitlines() if line.startswith("data:") and line[5:].strip()
                ]
                result = json.loads(data)["result"]
                return f"{result['isError']} {result['content'][0]['text']}"

            assert await call("who", wide) == "False read write"
            assert await call("change", wide) == "False changed"
            assert await call("who", narrow) == "False read"
            assert "needs the scope write" in await call("change", narrow)
