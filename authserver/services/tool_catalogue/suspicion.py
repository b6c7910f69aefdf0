"""Suspicion: what of a server's tools an administrator ought to look at twice."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from ...protocol.registry.look_alike import seen_as
from ...protocol.resource import Resource
from ...protocol.scope import Risk
from ...protocol.tool import Tool, risk_in_name, worst
from ...protocol.tool_list import Listed
from .drift import Drift


def suspicions(after: Resource, listed: Listed, found: Collection[Drift]) -> Iterator[str]:
    """In words, of the tools that *found* is about, in the catalogue as it would be."""
    if listed.nameless:
        yield f"{listed.nameless} of its tools left out: a tool's name has 1 to 200 visible ASCII characters"
    moved = {drift.name for drift in found if drift.now is not None}
    for names in alike(after.tools):
        if moved.intersection(names):
            yield f"names that look alike: {', '.join(names)}"
    for tool in after.tools:
        if tool.name in moved:
            yield from _of_risk(tool, after)


def alike(tools: Collection[Tool]) -> list[tuple[str, ...]]:
    """Names of *tools* that the eye takes for the same, in groups."""
    return alike_names(tool.name for tool in tools)


def alike_names(among: Iterable[str]) -> list[tuple[str, ...]]:
    """Those of the names that the eye takes for the same, in groups."""
    groups = defaultdict(list)
    for name in among:
        groups[seen_as(name)].append(name)
    return [tuple(names) for names in groups.values() if len(names) > 1]


def _of_risk(tool: Tool, resource: Resource) -> Iterator[str]:
    if tool.claim and tool.claim.annotations.read_only and risk_in_name(tool.name) is not Risk.READ:
        yield f"{tool.name} claims to read only, which its name does not sound like"
    known = worst(*(scope.risk for scope in resource.scopes if scope.name in tool.scopes))
    risk = worst(known, *((tool.risk,) if tool.risk else ()), *((tool.claim.annotations.risk,) if tool.claim else ()))
    if risk is not known:
        yield f"{tool.name} may be {risk}, and is opened by {' '.join(tool.scopes)}, which people know as {known}"
