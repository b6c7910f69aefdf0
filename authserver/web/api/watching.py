"""What happened: the audit trail, tool calls, and alerts."""

from typing import Any

from pydantic import Field

from ...protocol.role import Permission
from ...store.audit import AuditFilter, AuditListing
from ...store.tool_calls import CallFilter
from .clients import Seconds
from .operation import PLAIN, Answer, AnyOperation, Call, Listed, Nothing, One, Paging, Parameters, acting, reading
from .problem import Problem

Name = Field(None, max_length=2048, pattern=PLAIN)


class Events(Paging):
    """Which events; what is left out matches all."""

    name: str | None = Name
    outcome: str | None = Name
    user_id: str | None = Name
    client_id: str | None = Name
    grant_id: str | None = Name
    resource: str | None = Name
    actor: str | None = Name
    correlation_id: str | None = Name


class EventState(Answer):
    """An event of the audit trail."""

    id: int
    at_ms: int = Field(description="Unix milliseconds")
    name: str
    actor: str
    outcome: str
    user_id: str | None
    client_id: str | None
    resource: str | None
    grant_id: str | None
    address: str
    correlation_id: str
    detail: dict[str, Any]


class EventPage(Listed[EventState]):
    """A page of events."""


class Calls(Paging):
    """Which tool calls; what is left out matches all."""

    user_id: str | None = Name
    client_id: str | None = Name
    grant_id: str | None = Name
    resource: str | None = Name
    tool: str | None = Name


class CallState(Answer):
    """A tool call, as its guard told it."""

    key: str
    at_ms: int = Field(description="Unix milliseconds")
    resource: str
    subject: str
    client_id: str
    grant_id: str | None
    user_id: str | None
    tool: str
    arguments: dict[str, Any] = Field(description="After the guard's redaction")
    outcome: str
    refused: bool
    status: int | None
    duration_ms: float
    correlation_id: str
    trace_id: str | None


class CallPage(Listed[CallState]):
    """A page of tool calls."""


class Busy(Parameters):
    """At which MCP server; at all of them if it is left out."""

    resource: str | None = Name


class VolumeState(Answer):
    """How often a tool was called in the last 24 hours and in the last seven days; of these how many were refused."""

    resource: str
    tool: str
    day: int
    week: int
    refused: int


class Volumes(Answer):
    """The tools that were called most, at most 200, the busiest first."""

    items: list[VolumeState]


class AlertState(Answer):
    """Something that looked unusual, until somebody dismisses it."""

    id: str
    kind: str
    severity: str = Field(description="`notice`, `warning` or `critical`")
    resource: str = Field(description="Empty if it is about no MCP server")
    client_id: str | None
    user_id: str | None
    tool: str | None
    raised_at: Seconds
    detail: dict[str, Any]


class Dismissal(One):
    """Which alert it is about."""

    older: bool = Field(False, description="Whether all older ones of its kind are meant too")


class AlertPage(Listed[AlertState]):
    """A page of alerts, the critical ones before all others."""


def _events(call: Call[Events, Nothing]) -> EventPage:
    wanted = call.query
    names = AuditFilter.__slots__
    found = call.deployment.stores.audit.page(
        AuditFilter(**{name: getattr(wanted, name) for name in names}), wanted.after, wanted.limit
    )
    return EventPage(items=[_event(each) for each in found], next=found.after)


def _event(found: AuditListing) -> EventState:
    event, origin = found.event, found.event.origin
    names = EventState.model_fields.keys() - {"id", "at_ms", "address", "correlation_id"}
    said = {name: getattr(event, name) for name in names}
    where = {"address": origin.address, "correlation_id": origin.correlation_id}
    return EventState.model_validate({"id": found.id, "at_ms": found.at_ms, **said, **where})


def _calls(call: Call[Calls, Nothing]) -> CallPage:
    wanted = call.query
    names = CallFilter.__slots__
    found = call.deployment.stores.tool_calls.page(
        CallFilter(**{name: getattr(wanted, name) for name in names}), wanted.after, wanted.limit
    )
    lines = [{name: getattr(each, name) for name in CallState.model_fields} for each in found]
    return CallPage(items=[CallState.model_validate(each) for each in lines], next=found.after)


def _volumes(call: Call[Busy, Nothing]) -> Volumes:
    found = call.deployment.stores.tool_calls.volumes(call.query.resource)
    return Volumes(items=[VolumeState.model_validate(each) for each in found])


def _alerts(call: Call[Paging, Nothing]) -> AlertPage:
    found = call.deployment.stores.alerts.standing(call.query.after, call.query.limit)
    lines = [{name: getattr(each, name) for name in AlertState.model_fields} for each in found]
    return AlertPage(items=[AlertState.model_validate(each) for each in lines], next=found.after)


def _dismiss(call: Call[Dismissal, Nothing]) -> None:
    alerts = call.deployment.stores.alerts
    dismiss = alerts.dismiss_until if call.query.older else alerts.dismiss
    if not dismiss(call.query.id, call.event("alert.dismissed")):
        raise Problem(404, "there is no alert of this id that nobody has dismissed")


OPERATIONS: tuple[AnyOperation, ...] = (
    reading("/audit", Permission.AUDIT_READ, "The audit trail, newest first", Events, EventPage, _events),
    reading("/calls", Permission.CALLS_READ, "Tool calls, newest first", Calls, CallPage, _calls),
    reading("/calls/volumes", Permission.CALLS_READ, "How busy tools are", Busy, Volumes, _volumes),
    reading("/alerts", Permission.ALERTS_READ, "Alerts that nobody has dismissed", Paging, AlertPage, _alerts),
    acting("/alert/dismiss", Permission.ALERTS_DISMISS, "Take an alert off the lists", Dismissal, _dismiss),
)
