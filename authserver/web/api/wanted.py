"""Making and changing clients and MCP servers: the forms of ``authserver apply``, one at a time."""

from pydantic import Field

from ...protocol import own_api
from ...protocol.client import Client
from ...protocol.flaw import Flaw
from ...protocol.resource import Resource
from ...protocol.role import Permission
from ...services.deployment import Deployment
from ...services.desired_state.changes import ADD, ClientChange, Overtaken, ResourceChange
from ...services.desired_state.declared import ClientEntry, ClientForm, Declared, ResourceEntry, ServerEntry
from ...services.desired_state.plan import Planner
from .bearer import need
from .operation import Answer, Call, Nothing
from .problem import SAY_WHAT_WAS_SEEN, Problem

AnyCall = Call[Nothing, ResourceEntry] | Call[Nothing, ClientForm]
OWN_API = "this is the API itself, which 'authserver api enable' keeps"
Changes = tuple[ResourceChange | ClientChange, ...]
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


def registered(deployment: Deployment, identifier: str) -> Resource | None:
    """The MCP server of this identifier, suspended or not, as it stands now; None if there is none."""
    deployment.stores.resources.refresh()
    return deployment.stores.resources.find(identifier)


def known_server(call: Call[Nothing, ResourceEntry]) -> Resource | None:
    """The MCP server that the body is about, if there is one already."""
    return registered(call.deployment, call.body.url)


def known_client(call: Call[Nothing, ClientForm]) -> Client | None:
    """The client that the body is about, if there is one already."""
    return call.deployment.stores.clients.find_fresh(call.body.id)


def make_server(call: Call[Nothing, ResourceEntry]) -> Made:
    """Make an MCP server what the body says. Raises `Problem`."""
    if call.body.url == _own(call):
        raise Problem(409, OWN_API)
    changes, _ = _make(call, Declared(resources=(_as_entry(call.body),)), call.seen or known_server(call))
    return Made(changed=_members(changes))


def _as_entry(body: ResourceEntry) -> ServerEntry:
    """What it leaves out stays left out: limits that it is silent about stay as they are."""
    return ServerEntry.model_validate(body.model_dump(exclude_unset=True))


def make_client(call: Call[Nothing, ClientForm]) -> MadeClient:
    """Make a client what the body says. Raises `Problem`."""
    known: Client | None = call.seen or known_client(call)
    if _own(call) in {*call.body.allow, *(known.ceilings if known else ())}:
        raise Problem(409, "who may use this API is said by 'authserver client', not by way of it")
    changes, secret = _make(call, Declared(clients=(ClientEntry.model_validate(call.body.model_dump()),)), known)
    return MadeClient(changed=_members(changes), client_secret=secret)


def _make(call: AnyCall, wanted: Declared, known: Resource | Client | None) -> tuple[Changes, str | None]:
    """Make *wanted* true where what was looked at, *known*, is what is changed, and was seen by whoever asks for it."""
    planner = Planner(call.deployment.stores, call.deployment.settings.issuer, keeps=False)
    if flaws := planner.flaws(wanted):
        raise Problem(400, "the body is not right: see errors", errors=[_error(flaw) for flaw in flaws])
    changes, secret = planner.registrations(wanted), None
    for change in changes:
        _check_permissions(call, change)
    if changes and known and not call.seen:
        raise Problem(428, SAY_WHAT_WAS_SEEN)
    if any(change.before != known for change in changes):
        raise _overtaken(call, "it was changed by someone else in this moment")
    for change in changes:
        try:
            secret = change.make(call.deployment.stores, call.event(""))
        except Overtaken as other:
            raise _overtaken(call, other) from None
    return changes, secret


def _overtaken(call: AnyCall, why: object) -> Problem:
    return Problem(412 if call.seen else 409, f"{why}; nothing was done, look again")


def _check_permissions(call: AnyCall, change: ResourceChange | ClientChange) -> None:
    """Whoever may edit clients is none of them: what one proves itself by, and what it gets by that, takes more."""
    members = {difference.member for difference in change.differences} if isinstance(change, ClientChange) else set()
    if members & PROOF and change.mark != ADD:
        need(call, Permission.CLIENTS_SECRETS)
    if "allow" in members:
        need(call, Permission.CLIENTS_ALLOW)


def _own(call: AnyCall) -> str:
    return own_api.identifier(call.deployment.settings.issuer)


def _error(flaw: Flaw) -> dict[str, str]:
    return {"member": Flaw(flaw.where[2:], "").path, "problem": flaw.what}


def _members(changes: Changes) -> list[str]:
    return [difference.member for change in changes for difference in change.differences]
