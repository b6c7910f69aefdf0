"""Tools on the consent page: what is asked of each, what stood before, and what a choice makes of it (EX-7)."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from ..protocol import credential
from ..protocol.resource import Resource
from ..protocol.scope import Risk
from ..protocol.tool import Mark, Tool
from ..protocol.tool_permission import UNKNOWN, Permission, Permissions, agreed, fingerprint
from ..protocol.tool_request import ToolRequest
from ..protocol.way import Way
from .tool_limit import ToolLimit

ONCE_SECONDS = 600
WHILE_SECONDS = 3600
MOST_WAYS = 20


class State(StrEnum):
    """How this person has decided about a tool."""

    NEW = "new"
    CHANGED = "changed"
    """They decided, and its server describes it in another way by now."""

    ALLOWED = "allowed"
    REFUSED = "refused"


class Term(StrEnum):
    """For how long a tool is allowed."""

    LASTING = "lasting"
    WHILE = "while"
    ONCE = "once"


@dataclass(frozen=True, slots=True)
class ToolItem:
    """One tool on the page.

    ``before`` are the ways that stood before, ``asked`` those that the request asks for (none: any), ``challenged``
    says that a guard asks for just this tool, ``term`` for how long at the most. ``is_known`` is False of a tool that
    only its guard spoke of. ``ticked`` is what the page proposes.
    """

    tool: Tool
    state: State
    risk: Risk
    before: tuple[Way, ...] = ()
    asked: tuple[Way, ...] = ()
    challenged: bool = False
    term: Term = Term.LASTING
    is_known: bool = True
    ticked: bool = False

    @property
    def name(self) -> str:
        """The tool's name."""
        return self.tool.name

    @property
    def seen(self) -> str:
        """The fingerprint of what the page shows of it."""
        return fingerprint(self.tool) if self.is_known else UNKNOWN

    @property
    def limited(self) -> tuple[Way, ...]:
        """The alternatives that people should read: all that would be in the token; none where one has no limits."""
        ways = [replace(way, until=None, once=None) for way in (*self.before, *self.asked)] or [Way()]
        effective = dict.fromkeys(self.tool.policy if way.limits is None else way for way in ways)
        if any(way.limits is None for way in effective):
            return ()
        return tuple(sorted(effective, key=lambda way: (way.limits or "", way.additional)))

    @property
    def limitable(self) -> tuple[str, ...]:
        """The arguments that a person can limit, if the request does not say itself what they are to be."""
        claim = self.tool.claim if self.is_known and not self.asked else None
        return tuple(name for name, kind in claim.arguments if kind == "string") if claim else ()

    @property
    def usual_term(self) -> Term:
        """For how long it is allowed now, or as the guard asks."""
        if self.term is Term.ONCE or not self.before or any(way.lasting for way in self.before):
            return self.term
        return Term.ONCE if all(way.once for way in self.before) else Term.WHILE

    @property
    def said(self) -> list[object]:
        """What the page says of it, for the digest."""
        limits = [(way.limits, way.additional) for way in self.limited]
        return [self.name, self.seen, self.risk, limits, self.term is Term.ONCE]


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """What the person chose: ticked tools by name, how long each, and limits of their own."""

    ticked: frozenset[str] = frozenset()
    terms: Mapping[str, Term] = field(default_factory=dict)
    limits: Mapping[str, ToolLimit] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Before:
    """What was decided about tools before: on this device (None: nothing), else remembered from others."""

    granted: Permissions | None
    consented: Permissions | None

    def of(self, name: str) -> Permission | None:
        """The decision about the tool *name*; this device's counts first."""
        known = self.granted if self.granted is not None else self.consented
        return (known or {}).get(name)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Tools that are allowed on this device and that only a guard knows."""
        return tuple(name for name, one in (self.granted or {}).items() if one.seen == UNKNOWN)


def items(
    resource: Resource,
    scopes: Iterable[str],
    request: ToolRequest,
    before: Before,
    extra: Mapping[str, tuple[Way, ...]],
) -> tuple[ToolItem, ...]:
    """The tools of the page about *scopes*: those of the catalogue that these open, and those that only a guard named.

    *extra* are the ways that challenges of limits ask for, by tool.
    """
    held, now = frozenset(scopes), int(time.time())
    there = [tool for tool in resource.tools if tool.mark is not Mark.GONE]
    found = [
        _item(tool, resource, request, before.of(tool.name), extra, now)
        for tool in there
        if held.issuperset(tool.scopes)
    ]
    strangers = {*request.named, *extra, *before.unknown}.difference(tool.name for tool in there)
    for name in sorted(strangers):
        item = _item(Tool(name, name, ()), resource, request, before.of(name), extra, now)
        if item.challenged or item.before:
            found.append(replace(item, is_known=False, risk=Risk.DESTRUCTIVE))
    # A client's first time is no step on from anything: there the rest is proposed as ever.
    quiet = request.detailed or (request.is_challenge and before.granted is not None)
    return tuple(replace(item, ticked=_is_proposed(item, quiet=quiet)) for item in found)


def _item(
    tool: Tool,
    resource: Resource,
    request: ToolRequest,
    permission: Permission | None,
    extra: Mapping[str, tuple[Way, ...]],
    now: int,
) -> ToolItem:
    standing = tuple(way for way in permission.ways if _stands(way, tool, now)) if permission else ()
    asked = (*request.ways.get(tool.name, ()), *extra.get(tool.name, ()))
    return ToolItem(
        tool=tool,
        state=_state(tool, permission, standing),
        risk=tool.worst(resource.scopes),
        before=standing,
        asked=asked,
        challenged=tool.name in request.named or tool.name in extra,
        term=Term.ONCE if tool.name in request.once else Term.LASTING,
    )


def _state(tool: Tool, permission: Permission | None, standing: tuple[Way, ...]) -> State:
    if permission is None or (permission.ways and not standing):
        return State.NEW
    if not agreed(tool, permission):
        return State.CHANGED
    return State.ALLOWED if standing else State.REFUSED


def _stands(way: Way, tool: Tool, now: int) -> bool:
    """Whether *way* has not ended, and is within what the administrator allows by now."""
    return not way.has_ended(now) and (way.limits is None or way.no_wider(tool.policy))


def _is_proposed(item: ToolItem, *, quiet: bool) -> bool:
    """What the page ticks: what is challenged or allowed already; of what is new, not what can destroy or waits.

    Where a guard or the client asks for certain tools (*quiet*), nothing else that is new.
    """
    if item.challenged or item.state is State.ALLOWED:
        return True
    if item.state is not State.NEW or item.tool.mark is not Mark.AGREED or item.risk is Risk.DESTRUCTIVE:
        return False
    return bool(item.asked) or not quiet


def decided(shown: Iterable[ToolItem], choice: ToolChoice, now: int) -> dict[str, Permission]:
    """The decisions that *choice* means, about every tool that was *shown*; *now* in Unix seconds.

    Raises `Unusable` for a limit that is none or is wider than the administrator's.
    """
    return {
        item.name: Permission(item.seen, _ways(item, choice, now) if item.name in choice.ticked else ())
        for item in shown
    }


def _ways(item: ToolItem, choice: ToolChoice, now: int) -> tuple[Way, ...]:
    term = Term.ONCE if item.term is Term.ONCE else choice.terms.get(item.name)
    limit = choice.limits.get(item.name)
    if limit is not None:
        return (_for(term, limit.way(item.tool), now),)
    new = item.asked
    kept = item.before
    if not new and item.term is Term.ONCE:
        new = (Way(),)
    elif not new:
        # Nothing is added: what there was, or any arguments, for the time that was chosen.
        if term is None or (term is Term.LASTING and any(way.lasting for way in kept)):
            return kept or (Way(),)
        new, kept = tuple(dict.fromkeys(replace(way, until=None, once=None) for way in kept)) or (Way(),), ()
    made = tuple(_for(term, way, now) for way in new)
    # A single use that nobody used makes way for a new one of the same kind: a page that is sent twice permits one.
    kinds = {(way.limits, way.additional) for way in made if way.once}
    kept = tuple(way for way in kept if not (way.once and (way.limits, way.additional) in kinds))
    ways = tuple(dict.fromkeys((*kept, *made)))
    return ways if len(ways) <= MOST_WAYS else (ways[0], *ways[1 - MOST_WAYS :])


def _for(term: Term | None, way: Way, now: int) -> Way:
    if term is Term.ONCE:
        return replace(way, until=now + ONCE_SECONDS, once=credential.identifier())
    return replace(way, until=now + WHILE_SECONDS) if term is Term.WHILE else way
