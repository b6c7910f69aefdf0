"""Clients that wait: registered where registration asks, or with a document in a domain that nobody decided about."""

from dataclasses import dataclass

from ...protocol import redirect_uri
from ...protocol.audit import Event
from ...protocol.audit_seal import Recorded
from ...protocol.msg import Filled, msg
from ...store.clients import ClientStore
from ...store.decisions import DecisionStore, Pending
from ...store.paging import Page
from .kind import Request

SENDS_TO = msg("sends people to {}")
EXPIRED = Event("client.approval_expired", "system")


@dataclass(frozen=True, slots=True)
class WaitingClients:
    """Clients that may do nothing yet. Each waits ``lifetime`` seconds."""

    clients: ClientStore
    decisions: DecisionStore
    lifetime: int
    name: str = "client"
    words: str = msg("Clients")
    none: str = msg("No clients wait.")
    events: frozenset[str] = frozenset({"client.registered", "client.updated", "client.discovered", "client.changed"})

    def page(self, after: str | None, limit: int) -> Page[Request]:
        """See `Kind.page`."""
        found = self.decisions.pending(after, limit)
        return Page(tuple(map(self._request, found)), found.after)

    def count(self, most: int) -> int:
        """See `Kind.count`."""
        return self.decisions.count_pending(most)

    def find(self, request_id: str) -> Request | None:
        """See `Kind.find`."""
        found = self.decisions.find_pending(request_id)
        return self._request(found) if found else None

    def asked(self, recorded: Recorded) -> Request | None:
        """See `Kind.asked`."""
        return self.find(recorded.event.client_id or "")

    def approve(self, request: Request, event: Event) -> bool:
        """See `Kind.approve`."""
        event = event.about(name="client.approved")
        return self.clients.approve(request.id, bytes.fromhex(request.seen), event)

    def deny(self, request: Request, event: Event) -> bool:
        """See `Kind.deny`."""
        return self.clients.refuse(request.id, event.about(name="client.refused"))

    def expire(self, limit: int) -> int:
        """See `Kind.expire`."""
        overdue = self.decisions.overdue_pending(self.lifetime, limit)
        return sum(self.clients.refuse(client_id, EXPIRED) for client_id in overdue)

    def _request(self, found: Pending) -> Request:
        client = found.client
        hosts = dict.fromkeys(map(redirect_uri.host, client.redirect_uris))
        return Request(
            kind=self.name,
            id=client.client_id,
            client_id=client.client_id,
            name=client.name,
            who=found.address,
            what=Filled(SENDS_TO, ", ".join(hosts)) if hosts else "",
            shows=client.redirect_uris,
            since=found.since,
            expires_at=found.since + self.lifetime,
            seen=client.identity.hex(),
        )
