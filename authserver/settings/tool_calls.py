"""What is kept of tool calls, and what about them is worth a word."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from .group import DAY, Group


class ToolCalls(Group):
    """Receipts that guards send, unused permissions, and unusual use."""

    tool_receipt_retention: Annotated[int, Field(ge=DAY)] = 90 * DAY
    """Seconds for which the receipts of tool calls are kept that guards send."""

    unused_permission_after: Annotated[int, Field(ge=DAY)] = 30 * DAY
    """Seconds after which a permission counts as unused, if no call needed it and its server's guard tells of calls;
    people are then offered to remove it. At most ``tool_receipt_retention``."""

    unusual_calls_factor: Annotated[int, Field(ge=2)] = 10
    """How many times a tool's daily calls of the week before make an alert, when it has so many in 24 hours."""

    unusual_calls_least: Annotated[int, Field(ge=1)] = 100
    """Calls of a tool in 24 hours that are no alert, whatever the week before was like."""

    unusual_refusals: Annotated[int, Field(ge=1)] = 20
    """Calls of a client that an MCP server's guard refused within an hour, from which on there is an alert."""

    @model_validator(mode="after")
    def _what_is_unused_can_be_told(self) -> Self:
        if self.unused_permission_after > self.tool_receipt_retention:
            raise ValueError("unused_permission_after must be at most tool_receipt_retention")
        return self
