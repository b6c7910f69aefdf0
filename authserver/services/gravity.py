"""What of a decision takes a sign-in of late: what can destroy, given anew or for longer (docs/second-factors.md)."""

import time

from ..protocol.grant_term import SECONDS, Until
from ..protocol.scope import Risk
from ..protocol.way import Way
from .proposal import Proposal
from .tool_choices import State, ToolItem
from .verdict import Verdict


def asks_to_destroy(proposal: Proposal) -> bool:
    """Whether what is asked for can destroy, so that it is not even shown to whoever cannot allow it."""
    scopes = (item.scope.risk for item in proposal.new)
    tools = (tool.risk for tool in proposal.tools if tool.challenged)
    return Risk.DESTRUCTIVE in {*scopes, *tools}


def lets_destroy(proposal: Proposal, found: Verdict, until: Until) -> bool:
    """Whether *found*, *until* then, gives something that can destroy and that this device has not, or for longer."""
    scopes = {item.scope.name for item in (*proposal.new, *proposal.standing) if item.scope.risk is Risk.DESTRUCTIVE}
    given = scopes.intersection(found.approved)
    permissions = found.permissions or {}
    tools = [(tool, permissions[tool.name].ways) for tool in proposal.tools if tool.name in permissions]
    grave = [(tool, ways) for tool, ways in tools if tool.risk is Risk.DESTRUCTIVE and ways]
    if _lengthens(proposal, until):
        # What does not join (`Proposal.left_out`) can destroy, and lasts as long as the rest.
        return bool(given or grave or proposal.left_out)
    fresh = given.intersection(item.scope.name for item in proposal.new)
    return bool(fresh) or any(_is_wider(proposal, tool, ways) for tool, ways in grave)


def _lengthens(proposal: Proposal, until: Until) -> bool:
    """Whether what stands could last longer then; until the end of a session, nobody knows how long that is."""
    if proposal.ends_at is None or until is Until.KEPT:
        return False
    sooner = until in SECONDS and time.time() + SECONDS[until] <= proposal.ends_at
    return proposal.with_session or not sooner


def _is_wider(proposal: Proposal, tool: ToolItem, ways: tuple[Way, ...]) -> bool:
    """Whether *ways* let *tool* be called in one that does not stand on this device."""
    held = {item.scope.name for item in proposal.standing}
    here = proposal.standing_grant is not None and held.issuperset(tool.tool.scopes)
    standing = tool.before if here and tool.state is State.ALLOWED else ()
    return not all(any(_covers(one, way) for one in standing) for way in ways)


def _covers(standing: Way, way: Way) -> bool:
    return standing == way or (standing.lasting and way.no_wider(standing))
