"""How to play what real clients were seen to send (`authserver.protocol.registry.recordings`)."""

from dataclasses import dataclass
from typing import Any

from authserver.protocol.registry.recordings import names, recording

from .flow import Flow


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
    return [Recorded(name, recording(name)) for name in names()]
