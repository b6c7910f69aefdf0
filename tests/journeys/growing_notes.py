"""The sample server, for a journey about tools: it asks for one-time permissions, and grows a tool when told to.

``python -m tests.journeys.growing_notes`` serves it as `demo.notes` does; SIGUSR1 adds the tool ``count_notes``.
"""

import os
import signal
from typing import Any

import uvicorn
from mcp_types import ToolAnnotations

from demo.notes import create_server
from mcp_token_guard import Guard, Receipts
from mcp_token_guard.adapters.mcp_sdk import CallerAsUser

READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)


def main() -> None:
    """Serve until interrupted."""
    server = create_server()

    def grow(*_: Any) -> None:
        server.add_tool(lambda: "many", name="count_notes", description="How many.", annotations=READS)

    signal.signal(signal.SIGUSR1, grow)
    guard = Guard(
        os.environ["NOTES_RESOURCE"],
        issuer=os.environ["NOTES_ISSUER"],
        scopes=["notes:read"],
        tools={"write_note": "notes:write", "delete_note": "notes:delete"},
        default="notes:read",
        once=["delete_note"],
        identity=os.environ["NOTES_GUARD_KEY"],
        receipts=Receipts({"*": ["title"]}, spool=os.environ["NOTES_GUARD_KEY"] + ".receipts"),
    )
    app = guard.asgi(CallerAsUser(server.streamable_http_app(streamable_http_path=guard.endpoint)))
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["MCP_PORT"]), log_level="warning")


if __name__ == "__main__":
    main()
