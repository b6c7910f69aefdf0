"""The examples of docs/guard.md and of the guard's README run as they stand."""

import re
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastmcp import FastMCP
from flask import Flask
from mcp.server.mcpserver import MCPServer
from starlette.requests import Request
from starlette.responses import PlainTextResponse

import mcp_token_guard
from mcp_token_guard import Caller, Guard
from mcp_token_guard.caller import CALLER
from tests.middleware.granting import key_file

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = [
    pytest.param(code, id=f"{page.parent.name} {number}")
    for page in (ROOT / "docs" / "guard.md", ROOT / "middleware" / "README.md")
    for number, code in enumerate(re.findall(r"^```python\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE), 1)
    if "asyncio.run" not in code
]
ISSUER = "https://auth.example"


@pytest.mark.requirement("RS-1", "RS-6", "RS-9")
@pytest.mark.parametrize("code", EXAMPLES)
def test_an_example_runs(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(key_file(tmp_path).parent)
    guard = Guard("https://notes.example/mcp", issuer=ISSUER, scopes=["notes:read"])
    known: dict[str, Any] = {
        **{name: getattr(mcp_token_guard, name) for name in mcp_token_guard.__all__},
        "FastMCP": FastMCP,
        "PlainTextResponse": PlainTextResponse,
        "Request": Request,
        "app": Flask("example"),
        "guard": guard,
        "headers": {"Accept": "*/*"},
        "httpx2": httpx2,
        "key": bytes(32),
        "mcp": MCPServer("example"),
        "titles_of": str,
    }
    caller = Caller("alice", "client", frozenset({"notes:read"}), 0, guard.resource, {"iss": ISSUER})
    token = CALLER.set(caller)
    try:
        exec(compile(code, "example", "exec"), known)  # noqa: S102 - the page's own examples
    finally:
        CALLER.reset(token)


def test_there_are_examples_for_each_adapter() -> None:
    page = (ROOT / "docs" / "guard.md").read_text()
    for adapter in (ROOT / "middleware" / "mcp_token_guard" / "adapters").glob("[a-z]*.py"):
        assert f"mcp_token_guard.adapters.{adapter.stem}" in page
