"""The vectors that limits are held against; ``vectors.json`` is for implementations in other languages too."""

import json
from pathlib import Path
from typing import Any

VECTORS: dict[str, Any] = json.loads(Path(__file__).with_name("vectors.json").read_text("utf-8"))
LOCATION = "https://notes.example/mcp"


def detail(**members: Any) -> dict[str, Any]:
    """A detail for one tool, with these members besides."""
    return {"type": "mcp_tool", "locations": [LOCATION], "tools": ["read_note"], **members}
