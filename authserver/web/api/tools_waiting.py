"""Tools that wait are agreed to."""

from pydantic import Field

from ...protocol.resource import Resource
from ...protocol.role import Permission
from ...protocol.tool_list import MOST_TOOLS
from ...services.tool_catalogue.plan import NothingWaits, agree, told
from .operation import AnyOperation, Call, One, Operation, Parameters
from .problem import CHANGED, Problem
from .servers import server_now, state_of


class Agreed(Parameters):
    """The names of the tools that are agreed to, as the server's state shows them."""

    tools: list[str] = Field(min_length=1, max_length=MOST_TOOLS)


def _agree(call: Call[One, Agreed]) -> None:
    found: Resource = call.seen
    try:
        after = agree(found, call.body.tools)
    except NothingWaits:
        raise Problem(409, "one of these is no tool that waits") from None
    about = call.event("resource.tools_agreed").about(detail=told(call.body.tools))
    if not call.deployment.stores.resources.exchange(found, after, about):
        raise Problem(412, CHANGED)


OPERATIONS: tuple[AnyOperation, ...] = (
    Operation(
        "POST", "/server/agree", Permission.SERVERS_EDIT,
        "Agree to tools that are new, or that the server describes in another way by now", _agree, One, Agreed,
        find=server_now, shows=state_of, seen=True, problems=(409, 412, 428),
    ),
)  # fmt: skip
