"""Approvals: what people want and a rule of policy has an administrator decide on."""

from pydantic import Field

from ...protocol.role import Permission
from ...store.pending_grants import PendingGrant, State
from .clients import Seconds
from .operation import Answer, AnyOperation, Call, Listed, Nothing, One, Paging, acting, reading
from .problem import Problem

GONE = "this request waits no more, or asks for something else by now: look again"


class Requests(Paging):
    """Which requests."""

    state: State = Field(State.WAITING, description="What became of them")


class RequestState(Answer):
    """A request; `asked` and `approved` name scopes and tools (`tool:delete_note`)."""

    id: str
    state: State
    user_id: str
    username: str
    client_id: str
    client_name: str
    resource: str
    asked: list[str]
    approved: list[str]
    rule: str = Field(description="The rule that asks for it")
    created_at: Seconds
    expires_at: Seconds = Field(description="Until then it waits, or a no stands")
    decided_by: str | None


class RequestPage(Listed[RequestState]):
    """A page of requests."""


def _list(call: Call[Requests, Nothing]) -> RequestPage:
    asked = call.query
    found = call.deployment.stores.pending_grants.page(asked.state, asked.after, asked.limit)
    return RequestPage(items=[_said(line) for line in found], next=found.after)


def _one(call: Call[One, Nothing]) -> RequestState:
    return _said(_request(call))


def _approve(call: Call[One, Nothing]) -> None:
    _decide(call, _request(call), State.APPROVED, "approval.given")


def _deny(call: Call[One, Nothing]) -> None:
    found = _request(call)
    if found.state is State.WAITING:
        _decide(call, found, State.DENIED, "approval.refused")
    else:
        call.deployment.stores.pending_grants.withdraw(found.id, call.event("approval.withdrawn"))


def _decide(call: Call[One, Nothing], found: PendingGrant, state: State, name: str) -> None:
    decide = call.deployment.stores.pending_grants.decide
    if not decide(found.id, found.wanted.asked, state, call.event(name)):
        raise Problem(409, GONE)


def _request(call: Call[One, Nothing]) -> PendingGrant:
    found = call.deployment.stores.pending_grants.find(call.query.id)
    if found is None:
        raise Problem(404, "there is no request of this id")
    return found


def _said(line: PendingGrant) -> RequestState:
    return RequestState(
        id=line.id,
        state=line.state,
        user_id=line.wanted.by.user_id,
        username=line.username,
        client_id=line.wanted.by.client_id,
        client_name=line.client_name,
        resource=line.wanted.by.resource,
        asked=list(line.wanted.asked),
        approved=list(line.approved),
        rule=line.wanted.rule,
        created_at=line.created_at,
        expires_at=line.expires_at,
        decided_by=line.decided_by,
    )


OPERATIONS: tuple[AnyOperation, ...] = (
    reading("/approvals", Permission.GRANTS_READ, "Requests that a rule has an administrator decide on, newest first",
            Requests, RequestPage, _list),
    reading("/approval", Permission.GRANTS_READ, "One request", One, RequestState, _one),
    acting(
        "/approval/approve", Permission.GRANTS_APPROVE, "Let a person allow what waits", One, _approve,
        shows=_one, seen=True, problems=(409,),
    ),
    acting(
        "/approval/deny", Permission.GRANTS_APPROVE, "Say no to what waits, or take back what was approved", One, _deny,
        shows=_one, problems=(409,),
    ),
)  # fmt: skip
