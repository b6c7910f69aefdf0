"""Making and changing clients and MCP servers: the forms of ``authserver apply``, one at a time."""

from typing import Any

from pydantic import Field

from ...protocol import own_api
from ...protocol.flaw import Flaw
from ...protocol.role import Permission
from ...services.desired_state.changes import ADD, Change, ClientChange, Overtaken
from ...services.desired_state.declared import ClientEntry, ClientForm, Declared, ResourceEntry
from ...services.desired_state.plan import Planner
from .bearer import need
from .operation import Answer, Call, Nothing
from .problem import Problem

PROOF = frozenset({"auth_method", "jwks", "jwks_uri", "secret"})
ALSO = {
    Permission.CLIENTS_SECRETS: "where a client that is there proves itself in another way afterwards",
    Permission.CLIENTS_ALLOW: "where it may get something else for itself",
}


class Made(Answer):
    """What came of it."""

    changed: list[str] = Field(description="Its members that are otherwise now; empty if all was so already")


class MadeClient(Made):
    """What came of it, with a secret that nobody can read again."""

    client_secret: str | None = Field(description="Where one was made")


def make_server(call: Call[Nothing, ResourceEntry]) -> Made:
    """Make an MCP server what the body says. Raises `Problem`."""
    if call.body.url == _own(call):
        raise Problem(409, "this is the API itself, which 'authserver api enable' keeps")
    changes, _ = _make(call, Declared(resources=(call.body,)))
    return Made(changed=_members(changes))


def make_client(call: Call[Nothing, ClientForm]) -> MadeClient:
    """Make a client what the body says. Raises `Problem`."""
    known = call.deployment.stores.clients.find_fresh(call.body.id)
    if _own(call) in {*call.body.allow, *(known.ceilings if known else ())}:
        raise Problem(409, "who may use this API is said by 'authserver client', not by way of it")
    changes, secret = _make(call, Declared(clients=(ClientEntry.model_validate(call.body.model_dump()),)))
    return MadeClient(changed=_members(changes), client_secret=secret)


def _make(
    call: Call[Nothing, ResourceEntry] | Call[Nothing, ClientForm], wanted: Declared
) -> tuple[tuple[Change, ...], str | None]:
    planner = Planner(call.deployment.stores, call.deployment.settings.issuer, keeps=False)
    if flaws := planner.flaws(wanted):
        raise Problem(400, "the body is not right: see errors", errors=[_error(flaw) for flaw in flaws])
    changes, secret = planner.changes(wanted), None
    for change in changes:
        _check_permissions(call, change)
        try:
            secret = change.make(call.deployment.stores, call.event(""))
        except Overtaken as other:
            raise Problem(409, f"{other}; nothing was done, look again") from None
    return changes, secret


def _check_permissions(call: Call[Any, Any], change: Change) -> None:
    """Whoever may edit clients is none of them: what one proves itself by, and what it gets by that, takes more."""
    members = {difference.member for difference in change.differences} if isinstance(change, ClientChange) else set()
    if members & PROOF and change.mark != ADD:
        need(call, Permission.CLIENTS_SECRETS)
    if "allow" in members:
        need(call, Permission.CLIENTS_ALLOW)


def _own(call: Call[Nothing, ResourceEntry] | Call[Nothing, ClientForm]) -> str:
    return own_api.identifier(call.deployment.settings.issuer)


def _error(flaw: Flaw) -> dict[str, str]:
    return {"member": Flaw(flaw.where[2:], "").path, "problem": flaw.what}


def _members(changes: tuple[Change, ...]) -> list[str]:
    return [difference.member for change in changes for difference in change.differences]
