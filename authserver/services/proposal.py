"""What a person is asked to decide: the consent page as a value (AZ-8, AZ-9, AZ-14, EX-7)."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field

from ..protocol import scope
from ..protocol.amr import BY_PASSWORD, Method
from ..protocol.authorization import AuthorizationRequest
from ..protocol.policy import items
from ..protocol.policy.request import Item as PolicyItem
from ..protocol.policy.request import ItemKind
from ..protocol.policy.rule import Effect
from ..protocol.policy.ruling import LeftOut, Ruling
from ..protocol.registry.recognition import Recognition, recognise
from ..protocol.resource import Resource
from ..protocol.scope import Risk, Scope, Selection
from ..protocol.tool_permission import Permissions
from ..protocol.tool_request import ToolRequest
from ..protocol.way import ANY_WAY, Way
from ..store.tool_permissions import Challenge
from . import tool_choices
from .tool_choices import Before, State, ToolChoice, ToolItem

Limit = Callable[[tuple[PolicyItem, ...]], Ruling]
"""What tells of scopes and tools what policy leaves of them."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who decides, signed in at ``auth_time`` (Unix seconds; never fresh if ``recalled``). ``device`` is a secret."""

    user_id: str
    auth_time: int
    device: str
    methods: tuple[Method, ...] = BY_PASSWORD
    recalled: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A checked request, with the resource that it is about, the scopes that it comes to, and its wishes of tools."""

    request: AuthorizationRequest
    resource: Resource
    selection: Selection
    tools: ToolRequest = field(default_factory=ToolRequest)


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person ticked: scopes by name, and tools."""

    scopes: frozenset[str]
    tools: ToolChoice = field(default_factory=ToolChoice)


@dataclass(frozen=True, slots=True)
class Item:
    """One scope on the page, with the tools that it opens and the other scopes that it includes.

    A tool that needs several scopes is shown with the last of them. ``ticked`` is what the page proposes.
    """

    scope: Scope
    tools: tuple[ToolItem, ...]
    includes: tuple[Scope, ...]
    ticked: bool = True


@dataclass(frozen=True, slots=True)
class Proposal:
    """All that the page shows.

    ``identity`` is what to think of the client, by its name and by where the browser will be sent. ``new`` needs a
    decision; ``standing`` is already allowed on this device and included (it can be unticked); what any of them
    implies is among them. ``unknown`` are tools that only a guard spoke of. ``left_out`` are scopes allowed earlier
    that can destroy and that this request did not ask for, so they do not join. ``is_first`` says that this person
    never allowed this client anything; ``former_name`` is how a client that has changed since was called then;
    ``must_ask``: the page must be shown. ``challenges`` of guards are answered by whatever is decided.
    ``standing_tools`` is what this device's grant says of tools. ``ruling`` is what policy left out before.
    """

    asked: Asked
    identity: Recognition
    new: tuple[Item, ...]
    standing: tuple[Item, ...]
    unknown: tuple[ToolItem, ...]
    left_out: tuple[Scope, ...]
    is_first: bool
    former_name: str | None
    must_ask: bool
    ruling: Ruling
    challenges: tuple[Challenge, ...] = ()
    standing_tools: Permissions | None = None

    @property
    def redirect_host(self) -> str:
        """Where the browser will be sent."""
        return self.asked.request.redirect_host

    @property
    def leads_to_this_device(self) -> bool:
        """Whether any program on the person's device could be the client: loopback or private-use (RFC 8252 §8.4)."""
        return self.identity.on_device

    @property
    def names(self) -> frozenset[str]:
        """Every scope that can be ticked."""
        return frozenset(item.scope.name for item in (*self.new, *self.standing))

    @property
    def tools(self) -> tuple[ToolItem, ...]:
        """Every tool that can be ticked."""
        return (*(tool for item in (*self.new, *self.standing) for tool in item.tools), *self.unknown)

    @property
    def barred(self) -> bool:
        """Whether policy left out a tool that a guard asks for."""
        asked = {*self.asked.tools.named, *(one.tool for one in self.challenges)}
        return any(one.item.kind is ItemKind.TOOL and one.item.name in asked for one in self.ruling.out)

    @property
    def left_out_by_policy(self) -> tuple[tuple[Effect, tuple[LeftOut, ...]], ...]:
        """What policy left out, by what stands in its way."""
        found = ((effect, self.ruling.waiting(effect)) for effect in (Effect.APPROVAL, Effect.DENY))
        return tuple((effect, out) for effect, out in found if out)

    @property
    def rules(self) -> dict[str, object]:
        """The rules that decided, for the audit trail."""
        return {"rules": [rule.name for rule in self.ruling.rules]} if self.ruling.rules else {}

    @property
    def proposed(self) -> Choice:
        """What the page proposes."""
        scopes = frozenset(item.scope.name for item in (*self.new, *self.standing) if item.ticked)
        return Choice(scopes, ToolChoice(frozenset(tool.name for tool in self.tools if tool.ticked)))

    def reading(self) -> Choice:
        """A choice that can do no harm: of what the page has, what only reads."""
        tools = [tool for tool in self.tools if tool.risk is Risk.READ and tool.is_known]
        opening = {name for tool in tools for name in tool.tool.scopes}
        plain = {i.scope.name for i in (*self.new, *self.standing) if not i.tools and i.scope.risk is Risk.READ}
        return Choice(
            frozenset(scope.expand(opening | plain, self.asked.resource.scopes)) & self.names,
            ToolChoice(frozenset(tool.name for tool in tools)),
        )

    def lacking(self, ticked: frozenset[str]) -> tuple[Scope, ...]:
        """What *ticked* scopes imply and is not ticked itself: such a decision contradicts itself."""
        needed = scope.expand(self.names & ticked, self.asked.resource.scopes)
        return tuple(s for s in self.asked.resource.scopes if s.name in needed and s.name not in ticked)

    def half_ticked(self, choice: Choice) -> frozenset[str]:
        """The scopes that *choice* lacks for tools that the person ticked themselves: both are needed."""
        own = [tool for tool in self.tools if tool.name in choice.tools.ticked and not tool.ticked]
        needed = {name for tool in own for name in scope.expand(tool.tool.scopes, self.asked.resource.scopes)}
        return self.names.intersection(needed).difference(choice.scopes)

    def withheld(self, choice: Choice) -> tuple[ToolItem, ...]:
        """The tools that a guard asks for and *choice* does not allow: the client gets a no then."""
        return tuple(tool for tool in self.tools if tool.challenged and not self._allows(choice, tool))

    def _allows(self, choice: Choice, tool: ToolItem) -> bool:
        needed = self.names.intersection(tool.tool.scopes)
        return tool.name in choice.tools.ticked and choice.scopes.issuperset(needed)

    @property
    def digest(self) -> str:
        """A fingerprint of what the page says, so that a decision counts only for what was shown.

        However it is sorted: the first click of two makes standing what was new (AZ-13).
        """
        items = sorted((*self.new, *self.standing), key=lambda item: item.scope.name)
        said = [
            self.asked.request.client.client_id,
            self.asked.request.client.name,
            self.asked.request.redirect_uri,
            self.identity.said,
            self.asked.resource.identifier,
            self.asked.resource.name,
            *[
                [
                    item.scope.name,
                    item.scope.description,
                    item.scope.risk,
                    [tool.said for tool in item.tools],
                    [other.name for other in item.includes],
                ]
                for item in items
            ],
            [tool.said for tool in self.unknown],
        ]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Past:
    """What this person decided before about this client.

    ``granted`` are this device's scopes, ``consented`` those agreed to for this client, host and resource anywhere,
    each with its decisions about tools; ``client_name`` and ``client_identity`` are what the client was when they last
    decided (None: never).
    """

    granted: frozenset[str]
    consented: frozenset[str]
    is_first: bool
    client_name: str | None
    client_identity: bytes | None
    granted_tools: Permissions | None = None
    consented_tools: Permissions | None = None


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
    changed = past.client_identity is not None and past.client_identity != client.identity
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
