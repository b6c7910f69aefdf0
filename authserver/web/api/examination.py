"""MCP servers looked at as clients see them."""

from ...protocol.resource import identified
from ...protocol.role import Permission
from ...services.doctor.outcome import State
from ...services.doctor.registered import Busy
from .operation import Answer, AnyOperation, Call, Nothing, One, acting
from .problem import Problem
from .servers import NONE

BUSY = "other servers are being looked at in this moment: try again in half a minute"


class OutcomeState(Answer):
    """What a check found, why that is bad, and what to do."""

    check: str
    state: State
    what: str
    why: str
    remedy: str


class Examined(Answer):
    """All that was found."""

    items: list[OutcomeState]


def _examine(call: Call[One, Nothing]) -> Examined:
    found = identified(call.deployment.stores.resources.all(), call.query.id)
    if found is None:
        raise Problem(404, NONE)
    try:
        outcomes = call.deployment.server_doctor.look(found)
    except Busy:
        raise Problem(503, BUSY) from None
    return Examined(items=[OutcomeState.model_validate(each) for each in outcomes])


OPERATIONS: tuple[AnyOperation, ...] = (
    acting(
        "/server/examine", Permission.SERVERS_EDIT, "Look at an MCP server as clients do", One, _examine,
        answer=Examined,
    ),
)  # fmt: skip
