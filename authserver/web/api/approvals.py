"""The approval queue by the API: all that waits for a decision, by kind."""

from typing import Any

from pydantic import Field

from ...protocol.role import Permission
from ...services.approvals.kind import Request
from .clients import Seconds
from .operation import Answer, AnyOperation, Call, Listed, Nothing, One, Paging, acting, reading
from .problem import Problem

KIND = Field("client", max_length=32, pattern=r"^[a-z_]+$", description="Of which kind: `client`, `change`, `grant`")
MOVED = "it changed, or somebody decided, just now; nothing was done"


class Requests(Paging):
    """Which of what waits."""

    kind: str = KIND


class OneRequest(One):
    """Which request it is about."""

    kind: str = KIND


class RequestState(Answer):
    """Something that waits for a decision. `name`, `who`, `what` and `shows` are the words of whoever asks."""

    kind: str
    id: str
    client_id: str = Field(description="The client that it is about")
    name: str
    who: str
    what: str
    shows: list[str] = Field(description="What is asked for, in full")
    since: Seconds
    expires_at: Seconds
    seen: str = Field(description="Stands for all that is to be decided about")


class RequestPage(Listed[RequestState]):
    """A page of what waits."""


def _list(call: Call[Requests, Nothing]) -> RequestPage:
    kind = call.deployment.approvals.kind(call.query.kind)
    if kind is None:
        raise Problem(404, "nothing of this kind waits for decisions here")
    found = kind.page(call.query.after, call.query.limit)
    return RequestPage(items=[RequestState.model_validate(each) for each in found], next=found.after)


def _one(call: Call[OneRequest, Nothing]) -> RequestState:
    return _state(_waiting(call))


def _approve(call: Call[OneRequest, Nothing]) -> None:
    if not call.deployment.approvals.approve(call.seen, call.event("approval.approved")):
        raise Problem(409, MOVED)


def _deny(call: Call[OneRequest, Nothing]) -> None:
    if not call.deployment.approvals.deny(call.seen, call.event("approval.denied")):
        raise Problem(409, MOVED)


def _waiting(call: Call[OneRequest, Nothing]) -> Request:
    found = call.deployment.approvals.find(call.query.kind, call.query.id)
    if found is None:
        raise Problem(404, "nothing waits under this kind and id: it was decided, or never asked")
    return found


def _state(found: Request) -> RequestState:
    return RequestState.model_validate(found)


ASKED: dict[str, Any] = {"find": _waiting, "shows": _state, "seen": True, "problems": (404, 409)}
OPERATIONS: tuple[AnyOperation, ...] = (
    reading("/approvals", Permission.APPROVALS_READ, "What waits for a decision, newest first", Requests, RequestPage,
            _list, problems=(404,)),
    reading("/approval", Permission.APPROVALS_READ, "One request", OneRequest, RequestState, _one),
    acting("/approval/approve", Permission.APPROVALS_DECIDE, "Let in what waits", OneRequest, _approve, **ASKED),
    acting("/approval/deny", Permission.APPROVALS_DECIDE, "Refuse what waits", OneRequest, _deny, **ASKED),
)  # fmt: skip
