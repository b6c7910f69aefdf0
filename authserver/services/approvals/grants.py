"""What people want and a rule of policy has an administrator decide on (docs/policies.md)."""

import time
from dataclasses import dataclass

from ...protocol.audit import Event
from ...protocol.audit_seal import Recorded
from ...store.paging import Page
from ...store.pending_grants import PendingGrant, PendingGrantStore, State
from .kind import Request

EXPIRED = Event("approval.expired", "system")


@dataclass(frozen=True, slots=True)
class WantedGrants:
    """Requests of people, each of one person for one app at one server."""

    pending_grants: PendingGrantStore
    name: str = "grant"
    words: str = "requests of people"
    events: frozenset[str] = frozenset({"approval.asked"})

    def page(self, after: str | None, limit: int) -> Page[Request]:
        """See `Kind.page`."""
        found = self.pending_grants.page(State.WAITING, after, limit)
        return Page(tuple(map(self._request, found)), found.after)

    def count(self, most: int) -> int:
        """See `Kind.count`."""
        return self.pending_grants.count_waiting(most)

    def find(self, request_id: str) -> Request | None:
        """See `Kind.find`."""
        found = self.pending_grants.find(request_id)
        waits = found is not None and found.state is State.WAITING and found.expires_at > time.time()
        return self._request(found) if found and waits else None

    def asked(self, recorded: Recorded) -> Request | None:
        """See `Kind.asked`."""
        return self.find(str(recorded.event.detail.get("request", "")))

    def approve(self, request: Request, event: Event) -> bool:
        """See `Kind.approve`."""
        return self._decide(request, State.APPROVED, event.about(name="approval.given"))

    def deny(self, request: Request, event: Event) -> bool:
        """See `Kind.deny`."""
        return self._decide(request, State.DENIED, event.about(name="approval.refused"))

    def expire(self, limit: int) -> int:
        """See `Kind.expire`."""
        return self.pending_grants.expire(limit, EXPIRED)

    def _decide(self, request: Request, state: State, event: Event) -> bool:
        return self.pending_grants.decide(request.id, tuple(request.seen.split()), state, event)

    def _request(self, found: PendingGrant) -> Request:
        by, asked = found.wanted.by, found.wanted.asked
        return Request(
            kind=self.name,
            id=found.id,
            client_id=by.client_id,
            name=found.username,
            who=found.client_name,
            what=f"{', '.join(asked)} at {by.resource}",
            shows=(*asked, f"at {by.resource}", f"by the rule {found.wanted.rule}"),
            since=found.created_at,
            expires_at=found.expires_at,
            seen=" ".join(asked),
        )
