"""What people want and a rule of policy has an administrator decide on, and what became of it; see `approvals` too."""

from pydantic import Field

from ...protocol.role import Permission
from ...store.pending_grants import PendingGrant, State
from .clients import Seconds
from .operation import Answer, AnyOperation, Call, Listed, Nothing, One, Paging, acting, reading
from .problem import CHANGED, Problem


class DecidedRequests(Paging):
    """Which requests."""

    state: State = Field(State.WAITING, description="What became of them")


class PolicyRequestState(Answer):
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


class PolicyRequestPage(Listed[PolicyRequestState]):
    """A page of requests."""


def _list(call: Call[DecidedRequests, Nothing]) -> PolicyRequestPage:
    asked = call.query
    found = call.deployment.stores.pending_grants.page(asked.state, asked.after, asked.limit)
    return PolicyRequestPage(items=[_said(line) for line in found], next=found.after)


def _one(call: Call[One, Nothing]) -> PolicyRequestState:
    return _said(_request(call))


def _withdraw(call: Call[One, Nothing]) -> None:
    found: PendingGrant = call.seen
    done = call.deployment.stores.pending_grants.withdraw(found.id, found.approved, call.event("approval.withdrawn"))
    if found.approved and not done:
        raise Problem(412, CHANGED)


def _request(call: Call[One, Nothing]) -> PendingGrant:
    found = call.deployment.stores.pending_grants.find(call.query.id)
    if found is None:
        raise Problem(404, "there is no request of this id")
    return found


def _said(line: PendingGrant) -> PolicyRequestState:
    return PolicyRequestState(
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
    reading("/policies/requests", Permission.POLICIES_READ, "What rules have an administrator decide on, newest first",
            DecidedRequests, PolicyRequestPage, _list),
    reading("/policies/request", Permission.POLICIES_READ, "One such request", One, PolicyRequestState, _one),
    acting("/policies/request/withdraw", Permission.APPROVALS_DECIDE, "Take back what was approved", One, _withdraw,
           find=_request, shows=_said, seen=True),
)  # fmt: skip
