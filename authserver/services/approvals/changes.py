"""Changes of clients' metadata documents that are held until somebody looks (CR-9)."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from ...protocol.audit import Event
from ...protocol.audit_seal import Recorded
from ...protocol.msg import Filled, msg
from ...store.decisions import DecisionStore, Pending
from ...store.paging import Page
from ..metadata_documents import MetadataDocuments
from .kind import Request

NOT_AT_HAND = msg("its document is not at hand, as nobody asked for it of late")
EXPIRED = Event("client.change_expired", "system")


@dataclass(frozen=True, slots=True)
class HeldChanges:
    """Documents that say something else than what is in force. Each waits ``lifetime`` seconds."""

    documents: MetadataDocuments
    decisions: DecisionStore
    lifetime: int
    name: str = "change"
    words: str = msg("Changed documents")
    none: str = msg("No changed documents wait.")
    events: frozenset[str] = frozenset({"client.change_held"})

    def page(self, after: str | None, limit: int) -> Page[Request]:
        """See `Kind.page`."""
        found = self.decisions.held(after, limit)
        return Page(tuple(map(self._request, found)), found.after)

    def count(self, most: int) -> int:
        """See `Kind.count`."""
        return self.decisions.count_held(most)

    def find(self, request_id: str) -> Request | None:
        """See `Kind.find`."""
        found = self.decisions.find_held(request_id)
        return self._request(found) if found else None

    def asked(self, recorded: Recorded) -> Request | None:
        """See `Kind.asked`."""
        return self.find(recorded.event.client_id or "")

    def approve(self, request: Request, event: Event) -> bool:
        """See `Kind.approve`."""
        changed = self.documents.held(request.id)
        return _digest(changed) == request.seen and self.documents.accept(
            request.id, changed, event.about(name="client.changed")
        )

    def deny(self, request: Request, event: Event) -> bool:
        """See `Kind.deny`."""
        return self.documents.refuse(request.id, event.about(name="client.change_refused"))

    def expire(self, limit: int) -> int:
        """See `Kind.expire`."""
        overdue = self.decisions.overdue_held(self.lifetime, limit)
        return sum(self.documents.refuse(client_id, EXPIRED) for client_id in overdue)

    def _request(self, found: Pending) -> Request:
        client = found.client
        changed = self.documents.held(client.client_id)
        differs = tuple(f"{name.replace('_', ' ')}: {one['before']} → {one['after']}" for name, one in changed.items())
        return Request(
            kind=self.name,
            id=client.client_id,
            client_id=client.client_id,
            name=client.name,
            who=client.client_id,
            what="; ".join(differs) or Filled(NOT_AT_HAND),
            shows=differs,
            since=found.since,
            expires_at=found.since + self.lifetime,
            seen=_digest(changed),
        )


def _digest(changed: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(changed, sort_keys=True).encode()).hexdigest()
