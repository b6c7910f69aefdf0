"""The queue over all kinds, for console, command and API."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...protocol.audit import Event
from ...protocol.audit_seal import Recorded
from ...protocol.strangers import plain
from ...store.audit import AuditFilter, AuditListing, AuditStore
from ...store.notices import Notice, NoticeStore
from .kind import Kind, Request

BATCH = 100
LONGEST = 300  # characters of a stranger's words in a notice
DECISIONS = (
    "client.approved", "client.refused", "client.approval_expired",
    "client.changed", "client.change_refused", "client.change_expired",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Approvals:
    """What waits for a decision, by kind."""

    kinds: Sequence[Kind]
    notices: NoticeStore
    audit: AuditStore

    @property
    def events(self) -> frozenset[str]:
        """The names of the events after which something may wait."""
        return frozenset().union(*(kind.events for kind in self.kinds))

    def kind(self, name: str) -> Kind | None:
        """The kind of that name."""
        return next((kind for kind in self.kinds if kind.name == name), None)

    def find(self, name: str, request_id: str) -> Request | None:
        """A request that waits; None if it does not, or no longer."""
        kind = self.kind(name)
        return kind.find(request_id) if kind else None

    def approve(self, request: Request, event: Event) -> bool:
        """See `Kind.approve`."""
        kind = self.kind(request.kind)
        return kind is not None and kind.approve(request, event)

    def deny(self, request: Request, event: Event) -> bool:
        """See `Kind.deny`."""
        kind = self.kind(request.kind)
        return kind is not None and kind.deny(request, event)

    def expire(self) -> int:
        """End what waited too long, in batches; returns how many."""
        total = 0
        for kind in self.kinds:
            while count := kind.expire(BATCH):
                total += count
        return total

    def decision(self, request_id: str) -> AuditListing | None:
        """Who decided last about what was asked under *request_id*, and how: for whoever comes second."""
        found = (self.audit.page(AuditFilter(name=name, client_id=request_id), None, 1).lines for name in DECISIONS)
        own = f"client:{request_id}"  # what an app did by itself was no decision
        decided = (line for lines in found for line in lines if line.event.actor != own)
        return max(decided, key=lambda line: line.id, default=None)

    def hear(self, recorded: Sequence[Recorded]) -> None:
        """Make notices of what waits because of these events: each at least once."""
        kinds = [
            kind for kind in self.kinds if recorded and kind.count(1)
        ]  # where nothing waits, no event is looked up
        asked = [
            request
            for each in recorded
            for kind in kinds
            if each.event.name in kind.events and (request := kind.asked(each))
        ]
        self.notices.add([_notice(request) for request in asked])


def _notice(request: Request) -> Notice:
    said = {name: plain(getattr(request, name), LONGEST) for name in ("name", "who", "what")}
    return Notice(
        f"approval.{request.kind}", {"id": request.id, **said, "since": request.since, "expires_at": request.expires_at}
    )
