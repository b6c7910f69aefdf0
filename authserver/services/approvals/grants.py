"""What people want and a rule of policy has an administrator decide on (docs/policies.md)."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from ...protocol import redirect_uri
from ...protocol.audit import Event
from ...protocol.audit_seal import Recorded
from ...protocol.client import Client
from ...protocol.msg import Filled, msg
from ...protocol.policy.request import Through
from ...store.paging import Page
from ...store.pending_grants import PendingGrant, PendingGrantStore, State
from .kind import Request

EXPIRED = Event("approval.expired", "system")
PROVEN = msg("it is proven to be what it says it is")
NOT_PROVEN = msg("nothing proves that it is what it says it is")
CHANGED = msg("what it says of itself has changed since: this cannot be approved any more")
WHAT, WHERE = msg("{} at {}"), msg("at {}")
BY_THE_RULE = msg("by the rule {}")
SENDS_TO = msg("by an app that sends people to {}")


@dataclass(frozen=True, slots=True)
class WantedGrants:
    """Requests of people, each of one person for one app at one server. ``through`` tells whether an app is proven."""

    pending_grants: PendingGrantStore
    through: Callable[[Client], Through]
    name: str = "grant"
    words: str = msg("Requests of people")
    none: str = msg("No requests of people wait.")
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
        seen = bytes.fromhex(request.seen)
        return not request.is_own(event) and self.pending_grants.decide(request.id, seen, state, event)

    def _request(self, found: PendingGrant) -> Request:
        by, asked = found.wanted.by, found.wanted.asked
        return Request(
            kind=self.name,
            id=found.id,
            client_id=by.client_id,
            name=found.username,
            who=found.client_name,
            what=Filled(WHAT, ", ".join(asked), by.resource),
            shows=(*asked, Filled(WHERE, by.resource), Filled(BY_THE_RULE, found.wanted.rule), *self._of_app(found)),
            since=found.created_at,
            expires_at=found.expires_at,
            seen=found.seen.hex(),
            by=by.user_id,
        )

    def _of_app(self, found: PendingGrant) -> tuple[str, ...]:
        if found.has_changed:
            return (Filled(CHANGED),)
        hosts = dict.fromkeys(map(redirect_uri.host, found.client.redirect_uris))
        proven = Filled(PROVEN if self.through(found.client).verified else NOT_PROVEN)
        return (Filled(SENDS_TO, ", ".join(hosts)), proven)
