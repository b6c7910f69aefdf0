"""What real clients were seen to send: the files of ``clients``, and how to play them.

A file is named by its client's id in the registry, and by what tells it from that client's other ones. It has a
``register`` body or, with ``registration`` of ``metadata_document``, the ``document``; the parameters of ``authorize``,
``token`` and ``refresh``; and where the client has them: ``headers`` of its token requests, ``refreshes`` (how many at
once), ``step_up`` (the scope that it asks for when it needs more), and ``browser`` (its origin and its preflights).
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .flow import Flow

FOLDER = Path(__file__).parent / "clients"


@dataclass(frozen=True)
class Recorded:
    """One recording, by its file's ``name`` without the ending."""

    name: str
    content: dict[str, Any]

    def __getitem__(self, member: str) -> Any:
        return self.content[member]

    @property
    def client_id(self) -> str:
        """The id of its client in the registry."""
        return self.name.partition(".")[0]

    @property
    def has_document(self) -> bool:
        """Whether it comes by a metadata document."""
        return self.content.get("registration") == "metadata_document"

    @property
    def redirect_uris(self) -> list[str]:
        """Those that it registers."""
        found: list[str] = self[("document" if self.has_document else "register")]["redirect_uris"]
        return found

    def enrol(self, flow: Flow) -> None:
        """Register as it does."""
        flow.headers = self.content.get("headers", {})
        answer = flow.register(self["register"])
        assert answer.status_code == 201, answer.text


def recordings() -> list[Recorded]:
    """All of them."""
    return [Recorded(path.stem, json.loads(path.read_text())) for path in sorted(FOLDER.glob("*.json"))]
