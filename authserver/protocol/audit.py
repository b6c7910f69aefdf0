"""What the audit trail is told: one event per change of state, written in the change's own transaction."""

from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from: the client's ``address`` and the ``correlation_id`` that its log lines carry."""

    address: str = ""
    correlation_id: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """Who did what to what, through which client, from where, and how it ended.

    ``name`` is ``subject.verb`` (``token.refreshed``); ``actor`` is ``user:<id>``, ``client:<id>`` or ``system``.
    """

    name: str
    actor: str
    origin: Origin = Origin()
    outcome: str = "success"
    user_id: str | None = None
    client_id: str | None = None
    resource: str | None = None
    grant_id: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)

    def about(self, **changes: Any) -> "Event":  # noqa: ANN401 - the fields of Event
        """The same event with more known of it."""
        return replace(self, **changes)
