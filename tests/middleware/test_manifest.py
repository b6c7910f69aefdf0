"""The tools that a guard publishes: from every library's objects, in the background, and never failing its server."""

import asyncio
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from fastmcp import FastMCP
from mcp.server import MCPServer
from mcp.types import ToolAnnotations

from mcp_token_guard import Guard, manifest
from tests.middleware.granting import key_file
from tests.middleware.issuer import RESOURCE, Issuer, serving

pytestmark = pytest.mark.requirement("RS-11")
TOOLS = [{"name": "read_note", "title": "Read", "inputSchema": {"type": "object"}, "icons": [{"src": "x"}]}]


@pytest.fixture
def guard(issuer: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Guard:
    monkeypatch.setattr(manifest, "FIRST_WAIT", 0.02)
    caplog.set_level(logging.DEBUG, "mcp_token_guard")
    issuer.metadata["tool_manifest_endpoint"] = f"{issuer.url}/tool-manifest"
    issuer.answers["/tool-manifest"] = {"changed": True, "waiting": 0}
    return Guard(RESOURCE, issuer=issuer.url, scopes=["notes:read"], identity=key_file(tmp_path))


def sent(issuer: Issuer) -> list[Any]:
    """The manifests that came."""
    bodies = [parse_qs(body.decode()) for path, body in issuer.received if path == "/tool-manifest"]
    assert all(form["client_assertion"] for form in bodies)
    return [json.loads(form["tools"][0]) for form in bodies]


async def until(what: Callable[[], Any]) -> None:
    async with asyncio.timeout(30):
        while not what():
            await asyncio.sleep(0.005)


def server() -> MCPServer:
    made = MCPServer("notes")

    @made.tool(annotations=ToolAnnotations(readOnlyHint=True))
    def read_note(title: str) -> str:
        """Read a note."""
        return title

    return made


def fast_server() -> FastMCP[Any]:
    made = FastMCP[Any]("notes")

    @made.tool(annotations=ToolAnnotations(readOnlyHint=True))
    def read_note(title: str) -> str:
        """Read a note."""
        return title

    return made


async def test_it_publishes_what_the_issuer_looks_at(guard: Guard, issuer: Issuer, caplog) -> None:
    guard.publish_tools(TOOLS)
    await until(lambda: "tools are published" in caplog.text)
    assert sent(issuer) == [{"tools": [{name: TOOLS[0][name] for name in ("name", "title", "inputSchema")}]}]


@pytest.mark.parametrize("made", [server, fast_server])
async def test_it_takes_what_each_library_lists(guard: Guard, issuer: Issuer, made: Callable[[], Any], caplog) -> None:
    guard.publish_tools(await made().list_tools())
    await until(lambda: "tools are published" in caplog.text)
    (found,) = sent(issuer)[0]["tools"]
    assert (found["name"], found["description"]) == ("read_note", "Read a note.")
    assert found["annotations"]["readOnlyHint"] is True
    assert found["inputSchema"]["properties"]["title"]["type"] == "string"
    assert set(found) <= set(manifest.TOLD)


def test_a_thread_without_a_loop_publishes_too(guard: Guard, issuer: Issuer) -> None:
    guard.publish_tools(TOOLS)
    assert guard._manifest._publishing is not None
    guard._manifest._publishing.result(10)
    assert len(sent(issuer)) == 1


async def test_it_is_told_that_tools_wait(guard: Guard, issuer: Issuer, caplog) -> None:
    issuer.answers["/tool-manifest"] = {"changed": True, "waiting": 2}
    guard.publish_tools(TOOLS)
    await until(lambda: "2 wait to be agreed to" in caplog.text)


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_it_is_tried_until_there_is_an_answer(guard: Guard, issuer: Issuer, status: int, caplog) -> None:
    issuer.statuses["/tool-manifest"] = status
    guard.publish_tools(TOOLS)
    await until(lambda: len(sent(issuer)) > 2)
    assert caplog.text.count("WARNING") == 1
    del issuer.statuses["/tool-manifest"]
    await until(lambda: "tools are published\n" in caplog.text)


async def test_an_issuer_that_is_away_is_waited_for(tmp_path: Path, monkeypatch, caplog) -> None:
    monkeypatch.setattr(manifest, "FIRST_WAIT", 0.02)
    away = Issuer()
    with serving(away) as here:
        port = int(here.url.rpartition(":")[2])
    away.metadata["tool_manifest_endpoint"] = f"{away.url}/tool-manifest"
    away.answers["/tool-manifest"] = {"changed": False, "waiting": 0}
    guard = Guard(RESOURCE, issuer=away.url, scopes=["notes:read"], identity=key_file(tmp_path))
    guard.publish_tools(TOOLS)
    await until(lambda: "not published yet" in caplog.text)
    with serving(away, port=port):
        await until(lambda: sent(away))


async def test_what_is_refused_is_not_tried_again_and_the_log_has_the_words(
    guard: Guard, issuer: Issuer, caplog
) -> None:
    issuer.statuses["/tool-manifest"] = 400
    issuer.answers["/tool-manifest"] = {"error": "invalid_request", "error_description": "lists read_note twice"}
    guard.publish_tools([*TOOLS, *TOOLS])
    await until(lambda: "tools were refused (400): lists read_note twice" in caplog.text)
    assert guard._manifest._publishing is not None
    await asyncio.to_thread(guard._manifest._publishing.result, 10)
    assert len(sent(issuer)) == 1


class Broken:
    """No tool of any library."""

    def __iter__(self) -> Iterator[object]:
        raise RuntimeError("broken")


@pytest.mark.parametrize(
    "tools", [None, [None], [object()], Broken(), [{"name": object()}], [{"name": float("nan"), "inputSchema": {1, 2}}]]
)
async def test_nothing_that_a_server_hands_over_fails_it(guard: Guard, issuer: Issuer, tools: Any, caplog) -> None:
    guard.publish_tools(tools)
    assert "cannot be written" in caplog.text
    assert sent(issuer) == []


async def test_a_guard_without_identity_says_what_is_missing(issuer: Issuer, caplog) -> None:
    Guard(RESOURCE, issuer=issuer.url, scopes=["notes:read"]).publish_tools(TOOLS)
    assert "Guard(identity=…)" in caplog.text


async def test_the_newest_list_counts_and_the_end_of_the_server_ends_it(guard: Guard, issuer: Issuer) -> None:
    issuer.statuses["/tool-manifest"] = 503
    guard.publish_tools(TOOLS)
    first = guard._manifest._publishing
    assert first is not None
    guard.publish_tools([])
    assert first.cancelled()
    await until(lambda: {"tools": []} in sent(issuer))
    async with asyncio.timeout(30):
        await guard.settle()
    second = guard._manifest._publishing
    assert second is not None
    assert second.cancelled()
