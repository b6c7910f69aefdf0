"""Events in the Open Cybersecurity Schema Framework, version 1.3.0 (https://schema.ocsf.io/1.3.0).

Each event has the one class that fits: Account Change 3001, Authentication 3002, Authorize Session 3003, Entity
Management 3004, or API Activity 6003 for what remains. What OCSF has no place for is under ``unmapped``.
"""

from ipaddress import ip_address
from typing import Any, NamedTuple

from ... import __version__
from ...protocol.audit import Event
from ...protocol.audit_seal import Recorded

VERSION = "1.3.0"
CREATE, UPDATE, DELETE, OTHER = 1, 3, 4, 99
INFORMATIONAL, MEDIUM = 1, 3
SUCCESS, FAILURE = 1, 2
USER, SYSTEM = 1, 3


class Kind(NamedTuple):
    """The class of an event and what was done, by number and name."""

    class_uid: int
    class_name: str
    activity_id: int
    activity_name: str


ACCOUNT, AUTHENTICATION, SESSION = (3001, "Account Change"), (3002, "Authentication"), (3003, "Authorize Session")
ENTITY, API = (3004, "Entity Management"), (6003, "API Activity")
ASSIGNED = Kind(*SESSION, 1, "Assign Privileges")
NAMED = {
    "sign_in.succeeded": Kind(*AUTHENTICATION, 1, "Logon"),
    "sign_in.failed": Kind(*AUTHENTICATION, 1, "Logon"),
    "session.opened": Kind(*AUTHENTICATION, 1, "Logon"),
    "session.recalled": Kind(*AUTHENTICATION, 1, "Logon"),
    "session.ended": Kind(*AUTHENTICATION, 2, "Logoff"),
    "user.added": Kind(*ACCOUNT, 1, "Create"),
    "user.enabled": Kind(*ACCOUNT, 2, "Enable"),
    "user.password_changed": Kind(*ACCOUNT, 3, "Password Change"),
    "user.disabled": Kind(*ACCOUNT, 5, "Disable"),
    "user.deleted": Kind(*ACCOUNT, 6, "Delete"),
    "factor.added": Kind(*ACCOUNT, 10, "MFA Factor Enable"),
    "factor.removed": Kind(*ACCOUNT, 11, "MFA Factor Disable"),
    "factors.removed": Kind(*ACCOUNT, 11, "MFA Factor Disable"),
    "grant.approved": ASSIGNED,
    "code.redeemed": ASSIGNED,
    "token.issued": ASSIGNED,
    "token.refreshed": ASSIGNED,
    "tool_permission.used": ASSIGNED,
}
ACTIVITIES = {CREATE: "Create", UPDATE: "Update", DELETE: "Delete"}
CREATED = frozenset({"added", "made", "registered", "discovered", "published", "raised", "pinned"})
DELETED = frozenset({"deleted", "expired", "revoked", "withdrawn", "forgotten", "unpinned", "removed", "dropped"})
ENTITIES = frozenset(
    {
        "client",
        "clients",
        "resource",
        "domain",
        "document",
        "key",
        "keys",
        "registration_token",
        "alert",
        "audit",
        "root_secret",
    }
)


def ocsf(recorded: Recorded, issuer: str) -> dict[str, Any]:
    """*recorded* as an OCSF event of the server at *issuer*."""
    event = recorded.event
    kind = _kind(event.name)
    category = kind.class_uid // 1000
    refused = event.outcome != "success"
    common = {
        "category_uid": category,
        "category_name": "Identity & Access Management" if category == 3 else "Application Activity",
        "class_uid": kind.class_uid,
        "class_name": kind.class_name,
        "activity_id": kind.activity_id,
        "activity_name": kind.activity_name,
        "type_uid": kind.class_uid * 100 + kind.activity_id,
        "time": recorded.at_ms,
        "severity_id": MEDIUM if refused else INFORMATIONAL,
        "status_id": FAILURE if refused else SUCCESS,
        "status": event.outcome,
        "message": event.name,
        "metadata": _metadata(recorded, issuer),
        "actor": _actor(event),
        "unmapped": {"grant_id": event.grant_id, "resource": event.resource, "detail": event.detail},
    }
    if event.origin.address:
        common["src_endpoint"] = _source(event)
    return {**common, **_of_class(kind, event, issuer)}


def _kind(name: str) -> Kind:
    if name in NAMED:
        return NAMED[name]
    subject, _, verb = name.partition(".")
    if subject in {"user", "password"}:
        return Kind(*ACCOUNT, OTHER, verb)
    activity = CREATE if verb in CREATED else DELETE if verb in DELETED else UPDATE
    if subject in ENTITIES:
        return Kind(*ENTITY, activity, ACTIVITIES[activity])
    return Kind(*API, DELETE, "Delete") if activity == DELETE else Kind(*API, OTHER, verb or name)


def _metadata(recorded: Recorded, issuer: str) -> dict[str, Any]:
    event = recorded.event
    found = {
        "version": VERSION,
        "uid": recorded.members()["id"],
        "event_code": event.name,
        "log_name": "audit",
        "log_provider": issuer,
        "product": {"name": "mcp-authserver", "vendor_name": "mcp-authserver", "version": __version__},
    }
    return {**found, "correlation_uid": event.origin.correlation_id} if event.origin.correlation_id else found


def _actor(event: Event) -> dict[str, Any]:
    role, _, identifier = event.actor.partition(":")
    if role == "user":
        found: dict[str, Any] = {"user": {"uid": identifier, "type_id": USER}}
    elif role == "client":
        found = {"app_uid": identifier}
    else:
        found = {"app_name": "authserver"}
    return {"app_uid": event.client_id, **found} if event.client_id else found


def _source(event: Event) -> dict[str, str]:
    """An address, or the name of a machine where a command was run; this server itself without either."""
    try:
        return {"ip": str(ip_address(event.origin.address))}
    except ValueError:
        return {"name": event.origin.address or "authserver"}


def _of_class(kind: Kind, event: Event, issuer: str) -> dict[str, Any]:
    if kind[:2] == ENTITY:
        return {"entity": _entity(event)}
    if kind[:2] == API:
        return {"api": {"operation": event.name}, "src_endpoint": _source(event)}
    found: dict[str, Any] = {"user": _user(event)}
    if kind[:2] == AUTHENTICATION:
        found.update(service={"name": issuer}, is_remote=True)
    if kind[:2] == SESSION:
        found.update(privileges=_privileges(event))
    return found


def _user(event: Event) -> dict[str, Any]:
    """Whom it is about: a person, or the client that has a token for itself."""
    if event.user_id:
        return {"uid": event.user_id, "type_id": USER}
    named = event.detail.get("username")
    if isinstance(named, str):
        return {"name": named, "type_id": USER}
    return {"uid": event.client_id or event.actor, "type_id": SYSTEM}


def _entity(event: Event) -> dict[str, Any]:
    subject = event.name.partition(".")[0]
    about = event.resource if subject == "resource" else event.client_id
    detail = (event.detail.get(name) for name in ("kid", "domain", "url", "id"))
    return {"type": subject, "uid": about or next((each for each in detail if isinstance(each, str)), subject)}


def _privileges(event: Event) -> list[str]:
    scopes = event.detail.get("scopes")
    if isinstance(scopes, str):
        return scopes.split() or ["*"]
    return [str(each) for each in scopes] if isinstance(scopes, list) and scopes else [event.resource or "*"]
