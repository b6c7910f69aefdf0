"""Clients: the apps that have registered."""

from typing import Annotated, Any

from pydantic import Field

from ...protocol import credential, own_api
from ...protocol.client import Client
from ...protocol.credential import from_base64url
from ...protocol.role import Permission
from ...services.desired_state.declared import ClientForm
from ...services.mass_revocation import few_left
from ...store.client_row import NOT_SAID
from ...store.grants import Whose
from .operation import Answer, AnyOperation, Call, Listed, Nothing, One, Operation, Searching, acting, reading
from .problem import CHANGED, Problem
from .wanted import ALSO, MadeClient, known_client, make_client

NONE = "there is no client of this id"
BULK_SECONDS = 5.0  # for which one call ends grants
GO_ON = "{} of its grants were revoked, and more are left: ask again to go on"
Seconds = Annotated[int, Field(description="Unix seconds")]


class Clients(Searching):
    """Which clients."""

    waiting: bool = Field(default=False, description="Only those that wait for approval")
    changed: bool = Field(default=False, description="Only those whose changed document waits")
    group: str | None = Field(None, max_length=64, description="Only those of a group of `/clients/alike`")


class ClientState(Answer):
    """A client: what it says of itself, and whether it may act."""

    client_id: str
    kind: str
    name: str
    redirect_uris: list[str]
    auth_method: str
    jwks_uri: str | None
    keys: list[str] = Field(description="Digests of its keys by value: SHA-256, base64url, of each as canonical JSON")
    secret: str | None = Field(description="Stands for its secret: another when it gets another one; null without one")
    grant_types: list[str]
    metadata: dict[str, Any] = Field(description="What else it says of itself")
    created_at: Seconds
    waiting: bool
    suspended: bool
    declared: bool = Field(description="Kept by a file: 'authserver apply'")
    allowed: dict[str, list[str]] = Field(description="What it may get for itself, by resource")


class ClientLine(ClientState):
    """A client in a list."""

    live_grants: int
    last_used_at: Seconds | None = Field(description="Unix seconds, true to the hour")


class Rotation(One):
    """Which client gets another secret."""

    overlap: int = Field(86_400, ge=0, le=90 * 86_400, description="Seconds that the secret until now stays good")


class Secret(Answer):
    """A secret, which nobody can read again."""

    client_secret: str


class ClientPage(Listed[ClientLine]):
    """A page of clients."""


def _list(call: Call[Clients, Nothing]) -> ClientPage:
    wanted = call.query
    likeness = from_base64url(wanted.group) if wanted.group is not None else None
    if wanted.group is not None and likeness is None:
        return ClientPage(items=[], next=None)
    found = call.deployment.stores.clients.page(
        wanted.q, wanted.after, wanted.limit, waiting=wanted.waiting, held=wanted.changed, likeness=likeness
    )
    lines = [
        ClientLine(**_said(each.client), live_grants=each.live_grants, last_used_at=each.last_used_at) for each in found
    ]
    return ClientPage(items=lines, next=found.after)


def _one(call: Call[One, Nothing]) -> ClientState:
    return _state(known(call))


def _suspend(call: Call[One, Nothing]) -> None:
    _set_suspended(call, True, "client.suspended")


def _resume(call: Call[One, Nothing]) -> None:
    if own_api.identifier(call.deployment.settings.issuer) in known(call).ceilings:
        raise Problem(409, "a client that may use this API is let in again by 'authserver client resume'")
    _set_suspended(call, False, "client.resumed")


def _delete(call: Call[One, Nothing]) -> None:
    whose = Whose(client_id=known(call).client_id)
    ended, few = few_left(call.deployment.stores.grants, whose, call.event("grants.revoked"), BULK_SECONDS)
    if not few:
        raise Problem(409, GO_ON.format(ended))
    if not call.deployment.stores.clients.delete(call.query.id, call.event("client.deleted"), before=call.seen):
        raise Problem(412, CHANGED) if call.seen else Problem(404, NONE)


def _set_suspended(call: Call[One, Nothing], suspended: bool, name: str) -> None:
    found = known(call)
    if found.suspended != suspended:
        about = call.event(name).about(client_id=found.client_id)
        call.deployment.stores.clients.set_suspended(found.client_id, suspended, about)


def known(call: Call[One, Nothing] | Call[Rotation, Nothing]) -> Client:
    """The client that a call is about, as it stands now. Raises `Problem`."""
    found = call.deployment.stores.clients.find_fresh(call.query.id)
    if found is None:
        raise Problem(404, NONE)
    return found


def _state(found: Client) -> ClientState:
    return ClientState(**_said(found))


def _said(found: Client) -> dict[str, object]:
    return {
        "client_id": found.client_id,
        "kind": found.kind.value,
        "name": found.name,
        "redirect_uris": list(found.redirect_uris),
        "auth_method": found.auth_method.value,
        "jwks_uri": found.jwks_uri,
        "keys": list(found.key_digests),
        "secret": found.secret_mark,
        "grant_types": list(found.grant_types),
        "metadata": {name: value for name, value in found.metadata.items() if name not in NOT_SAID},
        "created_at": found.created_at,
        "waiting": found.pending,
        "suspended": found.suspended,
        "declared": found.declared,
        "allowed": {resource: list(scopes) for resource, scopes in found.ceilings.items()},
    }


def _rotate_secret(call: Call[Rotation, Nothing]) -> Secret:
    found: Client = call.seen
    if found.secret_digest is None:
        raise Problem(409, "this client has no secret: it proves itself by a key, or not at all")
    if own_api.identifier(call.deployment.settings.issuer) in found.ceilings:
        raise Problem(409, "a client that may use this API gets another secret by 'authserver client rotate-secret'")
    secret = credential.mint(credential.Prefix.CLIENT_SECRET)
    overlap = call.query.overlap
    event = call.event("client.secret_rotated").about(client_id=found.client_id, detail={"overlap": overlap})
    rotated = call.deployment.stores.clients.rotate_secret(
        found.client_id, credential.digest(secret), overlap, event, until_now=found.secret_digest
    )
    if not rotated:
        raise Problem(412, CHANGED)
    return Secret(client_secret=secret)


OPERATIONS: tuple[AnyOperation, ...] = (
    reading("/clients", Permission.CLIENTS_READ, "Clients, newest first", Clients, ClientPage, _list),
    reading("/client", Permission.CLIENTS_READ, "One client", One, ClientState, _one),
    acting("/client/suspend", Permission.CLIENTS_EDIT, "Stop a client for a while", One, _suspend),
    acting("/client/resume", Permission.CLIENTS_EDIT, "Let a client act again", One, _resume),
    Operation(
        "PUT", "/client", Permission.CLIENTS_EDIT,
        "Make a client that is registered beforehand, or change one, to be as the body says",
        make_client, Nothing, ClientForm, MadeClient, find=known_client, shows=_state, once=True, also=ALSO,
        problems=(428,),
    ),
    acting(
        "/client/secret", Permission.CLIENTS_SECRETS, "Give a client another secret", Rotation, _rotate_secret,
        answer=Secret, find=known, shows=_state, seen=True, once=True,
    ),
    acting(
        "/client", Permission.CLIENTS_DELETE, "Delete a client, with an end to its grants", One, _delete,
        method="DELETE", find=known, shows=_state, problems=(409,),
    ),
)  # fmt: skip
