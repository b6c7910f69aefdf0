"""The sample MCP server: notes, each person's own, behind the guard.

``python -m demo.notes`` serves it on loopback. ``MCP_PORT`` (9001) and ``AS_PORT`` (9000) say where it and its
authorization server are; ``NOTES_RESOURCE`` and ``NOTES_ISSUER`` give the public URLs where a proxy changes them, and
``NOTES_GUARD_KEY`` the file with the key by which the guard is known to its authorization server; beside it lie the
receipts of calls that are still to be sent there.
Notes live in memory, as long as the server does.
"""

import asyncio
import os
from collections import defaultdict
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import ToolAnnotations

from mcp_token_guard import Guard, Receipts, by_annotations, current_caller
from mcp_token_guard.adapters.mcp_sdk import CallerAsUser
from mcp_token_guard.asgi import GuardedApp

MOST_NOTES = 1000
MOST_CHARACTERS = 100_000

READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
WRITES = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)
DESTROYS = ToolAnnotations(read_only_hint=False, destructive_hint=True, open_world_hint=False)


def create_server() -> MCPServer:
    """The MCP server, without any authorization: its tools ask the guard who is calling."""
    server = MCPServer("notes", instructions="Keeps short notes, each person's own.")
    everyone: defaultdict[str, dict[str, str]] = defaultdict(dict)

    def mine() -> dict[str, str]:
        return everyone[current_caller().subject]

    @server.tool(title="List notes", annotations=READS)
    def list_notes() -> list[str]:
        """The titles of your notes."""
        return sorted(mine())

    @server.tool(title="Read a note", annotations=READS)
    def read_note(title: str) -> str:
        """The text of one of your notes."""
        return _existing(mine(), title)

    @server.tool(title="Write a note", annotations=WRITES)
    def write_note(title: str, text: str) -> str:
        """Keep a note under a title; text that is there already is added to, never replaced."""
        notes = mine()
        text = f"{notes[title]}\n{text}" if title in notes else text
        if len(title) + len(text) > MOST_CHARACTERS or len(notes) >= MOST_NOTES:
            raise ToolError("There is no more room for notes.")
        notes[title] = text
        return f"Kept {title!r}."

    @server.tool(title="Delete a note", annotations=DESTROYS)
    def delete_note(title: str) -> str:
        """Delete one of your notes for good."""
        notes = mine()
        _existing(notes, title)
        del notes[title]
        return f"Deleted {title!r}."

    return server


def create_app(resource: str, issuer: str, guard_key: str | None = None) -> GuardedApp:
    """The server at the URL *resource*, for tokens of *issuer*. Not to be called in a running event loop."""
    server = create_server()
    guard = Guard(
        resource,
        issuer=issuer,
        scopes=["notes:read"],
        tools=by_annotations(
            asyncio.run(server.list_tools()), read="notes:read", write="notes:write", destructive="notes:delete"
        ),
        identity=guard_key,
        receipts=Receipts({"*": ["title"]}, spool=guard_key and Path(guard_key).with_suffix(".receipts")),
        resource_name="Notes",
        serve_authorization_server_metadata=True,
    )
    app = server.streamable_http_app(streamable_http_path=guard.endpoint, transport_security=_known_hosts(resource))
    return guard.asgi(CallerAsUser(app))


def _existing(notes: dict[str, str], title: str) -> str:
    if title not in notes:
        raise ToolError(f"There is no note called {title!r}.")
    return notes[title]


def _known_hosts(resource: str) -> TransportSecuritySettings:
    """Loopback by any name, and the public URL (MCP, Streamable HTTP: DNS rebinding)."""
    public = urlsplit(resource)
    local = ["127.0.0.1:*", "localhost:*", "[::1]:*"]
    return TransportSecuritySettings(
        allowed_hosts=[*local, public.netloc],
        allowed_origins=[*(f"http://{host}" for host in local), f"{public.scheme}://{public.netloc}"],
    )


def main() -> None:
    """Serve until interrupted."""
    port = int(os.environ.get("MCP_PORT", "9001"))
    resource = os.environ.get("NOTES_RESOURCE", f"http://localhost:{port}/mcp")
    issuer = os.environ.get("NOTES_ISSUER", f"http://localhost:{os.environ.get('AS_PORT', '9000')}")
    app = create_app(resource, issuer, os.environ.get("NOTES_GUARD_KEY"))
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main()
