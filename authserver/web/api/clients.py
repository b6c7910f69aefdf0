"""Clients: the apps that have registered."""

from typing import Annotated

from pydantic import Field

from ...protocol.client import Client
from ...protocol.role import Permission
from .operation import Answer, AnyOperation, Call, Listed, Nothing, One, Searching, acting, reading
from .problem import Problem

Seconds = Annotated[int, Field(description="Unix seconds")]


class Clients(Searching):
    """Which clients."""

    waiting: bool = Field(default=False, description="Only those that wait for approval")


class ClientState(Answer):
    """A client: what it says of itself, and whether it may act."""

    client_id: str
    kind: str
    name: str
    redirect_uris: list[str]
    auth_method: str
    grant_types: list[str]
    created_at: Seconds
    waiting: bool
    suspended: bool
    declared: bool = Field(description="Kept by a file: 'authserver apply'")
    allowed: dict[str, list[str]] = Field(description="What it may get for itself, by resource")


class ClientLine(ClientState):
    """A client in a list."""

    live_grants: int
    last_used_at: Seconds | None = Field(description="Unix seconds, true to the hour")


class ClientPage(Listed[ClientLine]):
    """A page of clients."""


def _list(call: Call[Clients, Nothing]) -> ClientPage:
    wanted = call.query
    found = call.deployment.stores.clients.page(wanted.q, wanted.after, wanted.limit, waiting=wanted.waiting)
    lines = [
        ClientLine(**_said(each.client), live_grants=each.live_grants, last_used_at=each.last_used_at) for each in found
    ]
    return ClientPage(items=lines, next=found.after)


def _one(call: Call[One, Nothing]) -> ClientState:
    return ClientState(**_said(_client(call)))


def _approve(call: Call[One, Nothing]) -> None:
    found = _client(call)
    _need_waiting(found)
    if not call.deployment.stores.clients.approve(found.client_id, found.identity, call.event("client.approved")):
        raise Problem(412, "it has changed since you saw it; nothing was done, look again")


def _refuse(call: Call[One, Nothing]) -> None:
    found = _client(call)
    _need_waiting(found)
    call.deployment.stores.clients.refuse(found.client_id, call.event("client.refused"))


def _suspend(call: Call[One, Nothing]) -> None:
    _set_suspended(call, True, "client.suspended")


def _resume(call: Call[One, Nothing]) -> None:
    _set_suspended(call, False, "client.resumed")


def _delete(call: Call[One, Nothing]) -> None:
    call.deployment.stores.clients.delete(_client(call).client_id, call.event("client.deleted"))


def _set_suspended(call: Call[One, Nothing], suspended: bool, name: str) -> None:
    found = _client(call)
    if found.suspended != suspended:
        about = call.event(name).about(client_id=found.client_id)
        call.deployment.stores.clients.set_suspended(found.client_id, suspended, about)


def _need_waiting(found: Client) -> None:
    if not found.pending:
        raise Problem(409, "this client does not wait for approval")


def _client(call: Call[One, Nothing]) -> Client:
    found = call.deployment.stores.clients.find_fresh(call.query.id)
    if found is None:
        raise Problem(404, "there is no client of this id")
    return found


def _said(found: Client) -> dict[str, object]:
    return {
        "client_id": found.client_id,
        "kind": found.kind.value,
        "name": found.name,
        "redirect_uris": list(found.redirect_uris),
        "auth_method": found.auth_method.value,
        "grant_types": list(found.grant_types),
        "created_at": found.created_at,
        "waiting": found.pending,
        "suspended": found.suspended,
        "declared": found.declared,
        "allowed": {resource: list(scopes) for resource, scopes in found.ceilings.items()},
    }


OPERATIONS: tuple[AnyOperation, ...] = (
    reading("/clients", Permission.CLIENTS_READ, "Clients, newest first", Clients, ClientPage, _list),
    reading("/client", Permission.CLIENTS_READ, "One client", One, ClientState, _one),
    acting(
        "/client/approve", Permission.CLIENTS_APPROVE, "Let a client act that waits", One, _approve,
        shows=_one, seen=True, problems=(409,),
    ),
    acting("/client/refuse", Permission.CLIENTS_APPROVE, "Refuse a client that waits", One, _refuse, problems=(409,)),
    acting("/client/suspend", Permission.CLIENTS_EDIT, "Stop a client for a while", One, _suspend),
    acting("/client/resume", Permission.CLIENTS_EDIT, "Let a client act again", One, _resume),
    acting(
        "/client", Permission.CLIENTS_DELETE, "Delete a client, with an end to its grants", One, _delete,
        method="DELETE", shows=_one,
    ),
)  # fmt: skip
