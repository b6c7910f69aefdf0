"""What a person's choice on the consent page comes to: scopes given and taken, and a decision about each tool."""

import json
import time
from dataclasses import dataclass, replace

from ..protocol import scope, tool_permission
from ..protocol.errors import AccessDenied
from ..protocol.msg import msg
from ..protocol.tool_permission import Permissions
from .proposal import Choice, Proposal
from .tool_choices import ToolChoice, decided
from .tool_limit import Unusable

MOST_AUDITED = 50
MOST_IN_TOKEN = 5000
"""Characters that a person can fill of a token: with the rest it stays below the 8 KiB that servers take."""

TOO_MUCH = msg("These are more tools, or longer limits, than a token can hold. Untick what is not needed.")


@dataclass(frozen=True, slots=True)
class Verdict:
    """``approved`` and ``withdrawn`` are scopes. ``permissions`` is None of a server whose tools are not known.

    ``minted`` names the single uses that are new.
    """

    approved: tuple[str, ...]
    withdrawn: tuple[str, ...]
    permissions: Permissions | None
    minted: frozenset[str]

    @property
    def detail(self) -> dict[str, object]:
        """What the audit trail is told."""
        allowed = [name for name, one in (self.permissions or {}).items() if one.ways]
        told: dict[str, object] = {"scopes": " ".join(self.approved), "withdrawn": " ".join(self.withdrawn)}
        if self.permissions is not None:
            told |= {"tools": allowed[:MOST_AUDITED], "tools_allowed": len(allowed)}
        return told


def verdict(proposal: Proposal, choice: Choice) -> Verdict:
    """What *choice* means.

    Scopes of the page that are not ticked are taken out of the grant; scopes that are not on the page are ignored, and
    so is one that implies what is not ticked (`Proposal.lacking`). Raises `AccessDenied` when nothing is left, or when
    a guard asked for a tool that is not allowed: a token that lacks it would be refused in the same words, and asked
    for again. Raises `Unusable` for a limit that cannot be used and for more than a token holds.
    """
    known = proposal.asked.resource.scopes
    chosen = proposal.names & choice.scopes
    approved = tuple(s.name for s in known if s.name in chosen and chosen.issuperset(scope.expand([s.name], known)))
    if not approved:
        raise AccessDenied("nothing was allowed")
    if proposal.withheld(choice):
        raise AccessDenied("the tool that was asked for was not allowed")
    withdrawn = tuple(sorted(proposal.names.difference(approved)))
    if not proposal.asked.resource.tools and not proposal.tools:
        return Verdict(approved, withdrawn, None, frozenset())
    permissions = decided(proposal.tools, _within(choice.tools, proposal, approved), int(time.time()))
    before = {way.once for item in proposal.tools for way in item.before}
    minted = {way.once for one in permissions.values() for way in one.ways if way.once and way.once not in before}
    found = Verdict(approved, withdrawn, permissions, frozenset(filter(None, minted)))
    _check_size(proposal, found)
    return found


def _within(choice: ToolChoice, proposal: Proposal, approved: tuple[str, ...]) -> ToolChoice:
    """*choice* without the tools of scopes that were not approved."""
    closed = proposal.names.difference(approved)
    return replace(
        choice,
        ticked=frozenset(
            tool.name
            for tool in proposal.tools
            if tool.name in choice.ticked and not closed.intersection(tool.tool.scopes)
        ),
    )


def _check_size(proposal: Proposal, found: Verdict) -> None:
    resource, client = proposal.asked.resource, proposal.asked.request.client
    held = scope.expand(found.approved, resource.scopes)
    after = tool_permission.joined(proposal.standing_tools, found.permissions or {}, found.minted)
    details = tool_permission.details(resource, tool_permission.opened(resource, held, after, int(time.time())))
    if len(json.dumps(details)) + len(" ".join(found.approved)) + len(client.client_id) > MOST_IN_TOKEN:
        raise Unusable(TOO_MUCH)
