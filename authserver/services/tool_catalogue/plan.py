"""The plan: a catalogue as it would be after its server was heard, and what an administrator ought to look at.

Nothing gets wider by it in silence: a new tool under a scope that people hold already, and a tool that its server
describes in another way, are marked until someone agreed to them; a risk falls only then.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...protocol.resource import Resource
from ...protocol.scope import Scope
from ...protocol.tool import Claim, Mark, Tool, Word, worst
from ...protocol.tool_list import Listed
from .drift import Drift, Kind, drifts
from .placement import Placement, risk_of
from .suspicion import suspicions

MOST_TOLD = 50

MOST_AUDITED = 50


class NothingWaits(LookupError):
    """A tool that is to be agreed to is not there, or nothing of it waits."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The server ``before`` and ``after``; its drifts; and what is suspicious about what it says, in words."""

    before: Resource
    after: Resource
    drifts: tuple[Drift, ...]
    warnings: tuple[str, ...]

    @property
    def new_scopes(self) -> tuple[Scope, ...]:
        """Scopes that are proposed because none fits."""
        return self.after.scopes[len(self.before.scopes) :]

    @property
    def detail(self) -> dict[str, Any]:
        """What the audit trail is told: how many tools of each kind, and the first of their names."""
        found: dict[str, Any] = {}
        for kind in Kind:
            if names := [drift.name for drift in self.drifts if drift.kind is kind]:
                found[kind.value] = {"count": len(names), "first": names[:MOST_AUDITED]}
        return found


def plan(resource: Resource, listed: Listed, *, agreed: bool = False, prune: bool = False) -> Plan:
    """What *listed* makes of *resource*. *agreed*: an administrator agrees to all of it; *prune* forgets the gone."""
    found = tuple(drifts(resource, listed))
    tools = {tool.name: tool for tool in resource.tools}
    placement = Placement(resource)
    for drift in found:
        if drift.now is None:
            tools[drift.name] = replace(tools[drift.name], mark=Mark.GONE)
        elif drift.kind is Kind.ADDED:
            tools[drift.name] = _new(drift.name, drift.now, resource, placement)
        else:
            tools[drift.name] = _heard(tools[drift.name], drift.now, drift.kind)
        if agreed and drift.now is not None:
            tools[drift.name] = _agreed(tools[drift.name])
    kept = tuple(tool for tool in tools.values() if not (prune and tool.mark is Mark.GONE))
    after = replace(resource, scopes=(*resource.scopes, *placement.proposed), tools=kept)
    return Plan(resource, after, found, tuple(suspicions(after, listed, found)))


def agree(resource: Resource, names: Collection[str]) -> Resource:
    """*resource* with the tools *names* agreed to as they are. Raises `NothingWaits` with a name of no use."""
    waiting = {tool.name for tool in resource.tools if tool.mark in (Mark.NEW, Mark.CHANGED)}
    for name in names:
        if name not in waiting:
            raise NothingWaits(name)
    return replace(resource, tools=tuple(_agreed(tool) if tool.name in names else tool for tool in resource.tools))


def told(names: Sequence[str]) -> dict[str, object]:
    """What the audit trail is told of tools that were agreed to."""
    return {"count": len(names), "first": list(names[:MOST_TOLD])}


def _new(name: str, claim: Claim, resource: Resource, placement: Placement) -> Tool:
    risk = risk_of(name, claim)
    scope = placement.place(name, risk)
    mark = Mark.NEW if scope in resource.scopes else Mark.AGREED
    return Tool(name, claim.title, (scope.name,), claim.description, risk, Word.SERVER, mark, claim)


def _heard(tool: Tool, claim: Claim, kind: Kind) -> Tool:
    mark = tool.mark if kind is Kind.HEARD or tool.mark is Mark.NEW else Mark.CHANGED
    heard = replace(tool, claim=claim, mark=mark)
    if tool.word is Word.ADMINISTRATOR:
        return heard
    risk = worst(tool.risk or risk_of(tool.name, claim), risk_of(tool.name, claim))
    return replace(heard, title=claim.title, description=claim.description, risk=risk)


def _agreed(tool: Tool) -> Tool:
    if tool.word is Word.SERVER and tool.claim is not None:
        tool = replace(tool, risk=risk_of(tool.name, tool.claim))
    return replace(tool, mark=Mark.AGREED)
