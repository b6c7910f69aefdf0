"""What other rules of policy would have decided otherwise."""

import time
from typing import Any

from pydantic import Field

from ...protocol.policy import reading as rules
from ...protocol.role import Permission
from ...services.policy.file import MOST_POSTED
from ...services.policy.replay import DAY_MS, Replay
from .operation import Answer, AnyOperation, Call, Nothing, Operation, Parameters
from .policies import unfit

SECONDS = 5.0
MOST_LINES = 1000


class Proposed(Parameters):
    """Rules, as files write them, and how far back to look."""

    rules: list[dict[str, Any]] = Field(max_length=rules.MOST_RULES)
    days: int = Field(7, ge=1, le=365)


class OtherwiseState(Answer):
    """Events of one kind that would be decided otherwise; `lost` and `won` are items, each with its rule."""

    name: str
    username: str = Field(description="Empty for a client for itself")
    client_id: str
    resource: str
    lost: list[str]
    won: list[str]
    refused: bool = Field(description="Nothing is left")
    times: int
    last_ms: int = Field(description="Unix milliseconds")


class ReplayState(Answer):
    """What came of it, the most frequent first; at most 1,000 lines."""

    events: int = Field(description="How many grants, exchanges and refreshes were held against both")
    cut: bool = Field(description="Whether older ones were left out, as there were too many")
    items: list[OtherwiseState]


def _replay(call: Call[Nothing, Proposed]) -> ReplayState:
    try:
        wanted = rules.read(call.body.rules)
    except rules.Unfit as wrong:
        raise unfit(wrong) from None
    stores = call.deployment.stores
    before, after = stores.policies.current(), stores.policies.with_people(0, wanted)
    since = int(time.time() * 1000) - call.body.days * DAY_MS
    found = Replay(stores, call.deployment.policies, before, after, SECONDS).run(since)
    lines = [OtherwiseState.model_validate(each) for each in found.lines[:MOST_LINES]]
    return ReplayState(events=found.events, cut=found.cut, items=lines)


OPERATIONS: tuple[AnyOperation, ...] = (
    Operation(
        "POST", "/policies/replay", Permission.POLICIES_READ,
        "Hold rules against the grants and tokens of the last days, for five seconds at the most", _replay, Nothing,
        Proposed, ReplayState, most=MOST_POSTED,
    ),
)  # fmt: skip
