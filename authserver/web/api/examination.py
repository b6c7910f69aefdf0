"""MCP servers looked at as clients see them."""

from ...protocol.role import Permission
from ...services.doctor.outcome import State
from ...services.doctor.registered import Busy
from .operation import Answer, AnyOperation, Call, Nothing, One, acting
from .problem import Problem
from .servers import server_now

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
    try:
        outcomes = call.deployment.server_doctor.look(server_now(call))
    except Busy:
        raise Problem(503, BUSY) from None
    return Examined(items=[OutcomeState.model_validate(each) for each in outcomes])


OPERATIONS: tuple[AnyOperation, ...] = (
    acting(
        "/server/examine", Permission.SERVERS_EDIT, "Look at an MCP server as clients do", One, _examine,
        answer=Examined,
    ),
)  # fmt: skip
