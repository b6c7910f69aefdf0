"""How to play what real clients were seen to send (`authserver.protocol.registry.recordings`)."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from authserver.protocol.audit import Event
from authserver.protocol.registry.recordings import names, recording

from .flow import Flow
from .signer import Signer

EVENT = Event("test.done", "system")


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
        """Register as it does. Documents and keys are pinned: nothing is fetched from their real hosts."""
        flow.headers = self.content.get("headers", {})
        if self.has_document:
            _pin(flow, self["document"])
        else:
            answer = flow.register(self["register"])
            assert answer.status_code == 201, answer.text


def _pin(flow: Flow, said: dict[str, Any]) -> None:
    known = flow.site.deployment.known_clients
    assert known.documents is not None
    known.documents.pin(said["client_id"], json.dumps(said), EVENT)
    flow.values["client_id"] = said["client_id"]
    if "jwks_uri" in said:
        flow.signer = _signer(said["token_endpoint_auth_signing_alg"])
        keys = known.keys.strangers
        keys.store.pin(keys.prefix + said["jwks_uri"], json.dumps(flow.signer.jwks), EVENT)


@cache
def _signer(algorithm: str) -> Signer:
    return Signer.new(algorithm)


def recordings() -> list[Recorded]:
    """All of them."""
    return [Recorded(name, recording(name)) for name in names()]
