"""How a request becomes a proposal, by what was decided before and what policy leaves (AZ-8, AZ-9, AZ-14)."""

from collections.abc import Callable
from dataclasses import dataclass

from ..protocol import scope
from ..protocol.policy import items
from ..protocol.policy.request import Item as PolicyItem
from ..protocol.policy.request import ItemKind
from ..protocol.policy.ruling import Ruling
from ..protocol.registry.recognition import recognise
from ..protocol.resource import Resource
from ..protocol.scope import Risk, Scope
from ..protocol.tool_permission import Permissions
from ..protocol.way import ANY_WAY, Way
from ..store.tool_permissions import Challenge
from . import tool_choices
from .proposal import Asked, Item, Proposal
from .tool_choices import Before, State, ToolItem

Limit = Callable[[tuple[PolicyItem, ...]], Ruling]
"""What tells of scopes and tools what policy leaves of them."""


@dataclass(frozen=True, slots=True)
class Past:
    """What this person decided before about this client.

    ``granted`` are this device's scopes, ``consented`` those agreed to for this client, host and resource anywhere,
    each with its decisions about tools; ``client_name`` and ``client_identity`` are what the client was when they last
    decided (None: nobody knows). ``grant_id``, ``ends_at`` and ``with_session`` are of this device's grant.
    """

    granted: frozenset[str]
    consented: frozenset[str]
    is_first: bool
    client_name: str | None
    client_identity: bytes | None
    granted_tools: Permissions | None = None
    consented_tools: Permissions | None = None
    grant_id: str | None = None
    ends_at: int | None = None
    with_session: bool = False


def propose(asked: Asked, past: Past, limit: Limit, challenges: tuple[Challenge, ...] = ()) -> Proposal:
    """Sort what *limit* leaves of *asked*, and of all it implies, into new and standing; *challenges* are guards'."""
    resource, client = asked.resource, asked.request.client
    wanted = frozenset(scope.expand(asked.selection.scopes, resource.scopes))
    joining = [name for name in past.granted if _may_join(name, wanted, resource)]
    joined = scope.expand(wanted.union(joining), resource.scopes)
    before = Before(past.granted_tools, past.consented_tools)
    there = tool_choices.items(resource, joined, asked.tools, before, _ways(challenges))
    ruling = limit((*items.of_scopes(resource, joined), *map(_ruled, there)))
    shown = tuple(name for name in joined if name in ruling.scopes)
    tools = tuple(tool for tool in there if tool.name in ruling.tools)
    lines = _items(shown, tools, past, resource)
    changed = not past.is_first and past.client_identity != client.identity
    identity = recognise(client, asked.request.redirect_uri)
    quiet = not identity.on_device and "consent" not in asked.request.prompt and not changed
    settled = (past.granted | past.consented).issuperset(shown) and _are_settled(tools)
    return Proposal(
        asked=asked,
        identity=identity,
        new=tuple(item for item in lines if item.scope.name not in past.granted),
        standing=tuple(item for item in lines if item.scope.name in past.granted),
        unknown=tuple(tool for tool in tools if not tool.is_known),
        left_out=tuple(s for s in resource.scopes if s.name in past.granted and s.name not in joined),
        is_first=past.is_first,
        former_name=past.client_name if changed else None,
        must_ask=not (quiet and settled),
        ruling=ruling,
        challenges=challenges,
        standing_tools=past.granted_tools,
        standing_grant=past.grant_id,
        ends_at=past.ends_at,
        with_session=past.with_session,
    )


def _ruled(tool: ToolItem) -> PolicyItem:
    return PolicyItem(ItemKind.TOOL, tool.name, tool.risk, tool.tool.scopes)


def _ways(challenges: tuple[Challenge, ...]) -> dict[str, tuple[Way, ...]]:
    """The ways that challenges of limits ask for, by tool."""
    found: dict[str, tuple[Way, ...]] = {}
    for one in challenges:
        if one.way != ANY_WAY:
            found[one.tool] = (*found.get(one.tool, ()), one.way)
    return found


def _may_join(name: str, wanted: frozenset[str], resource: Resource) -> bool:
    """Whether a scope granted earlier joins unasked: not if it, or what it implies, can destroy (AZ-14)."""
    reached = scope.expand([name], resource.scopes)
    harmful = (s.name for s in resource.scopes if s.risk is Risk.DESTRUCTIVE and s.name in reached)
    return wanted.issuperset(harmful)


def _are_settled(tools: tuple[ToolItem, ...]) -> bool:
    """Whether nothing is asked about a tool that this person has not decided."""
    open_states = (State.NEW, State.CHANGED)
    return not any(tool.state in open_states or tool.challenged or tool.asked for tool in tools)


def _items(shown: tuple[str, ...], tools: tuple[ToolItem, ...], past: Past, resource: Resource) -> tuple[Item, ...]:
    listed = [s for s in resource.scopes if s.name in shown]
    last = {tool.name: max(tool.tool.scopes, key=shown.index) for tool in tools if tool.is_known}
    items = [_item(s, tuple(tool for tool in tools if last.get(tool.name) == s.name), resource) for s in listed]
    needed = scope.expand([i.scope.name for i in items if _is_proposed(i, items, past)], resource.scopes)
    return tuple(Item(i.scope, i.tools, i.includes, ticked=i.scope.name in needed) for i in items)


def _item(shown: Scope, tools: tuple[ToolItem, ...], resource: Resource) -> Item:
    reached = scope.expand([shown.name], resource.scopes)
    return Item(shown, tools=tools, includes=tuple(s for s in resource.scopes if s.name in reached and s is not shown))


def _is_proposed(item: Item, others: list[Item], past: Past) -> bool:
    """Whether the page ticks a scope: not one that only destroys, unless it is allowed, or all that is new does."""
    allowed = past.granted | past.consented
    if item.scope.name in allowed or any(tool.challenged for tool in item.tools):
        return True
    fresh = [other for other in others if other.scope.name not in allowed]
    return not _destroys(item) or all(map(_destroys, fresh))


def _destroys(item: Item) -> bool:
    risks = {tool.risk for tool in item.tools} or {item.scope.risk}
    return risks == {Risk.DESTRUCTIVE}
