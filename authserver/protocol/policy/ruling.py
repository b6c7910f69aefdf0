"""What rules leave of a whole request.

Scopes and tools depend on each other: a scope of whose tools none is left opens nothing and is left out, one that a
tool needs which an earlier rule allows by its name stays, and what implies or needs something that is left out cannot
stay either.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from .matching import Bearing
from .request import Item, ItemKind, Request
from .rule import Effect, Rule

Implied = Callable[[str], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Standing:
    """What is so already: the sign-in is ``fresh``, and ``approved`` has the keys of items that were approved."""

    fresh: bool
    approved: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An item that is left out, and the rule by which; ``effect`` is all that stands in its way.

    ``own``: the rule decides on the item itself, which does not only fall with another one.
    """

    item: Item
    effect: Effect
    rule: Rule
    own: bool


@dataclass(frozen=True, slots=True)
class Ruling:
    """What is left: names of ``scopes`` and ``tools``. ``out`` is what is not; ``rules`` decided, in their order."""

    scopes: frozenset[str]
    tools: frozenset[str]
    out: tuple[LeftOut, ...] = ()
    rules: tuple[Rule, ...] = ()

    def waiting(self, effect: Effect) -> tuple[LeftOut, ...]:
        """What would be left if *effect* were met."""
        return tuple(one for one in self.out if one.effect is effect)

    @property
    def asked(self) -> tuple[LeftOut, ...]:
        """What to approve for all that waits for it: what the rules decide on, the rest then comes with that."""
        waiting = self.waiting(Effect.APPROVAL)
        return tuple(one for one in waiting if one.own) or waiting


@dataclass(slots=True)
class _Deciding:
    """One request in the course of being decided, as if the effects that are ``met`` stood in no way."""

    bearing: tuple[Bearing, ...]
    request: Request
    standing: Standing
    met: frozenset[Effect]
    by: dict[str, Rule] = field(default_factory=dict)
    shut: dict[str, Rule] = field(default_factory=dict)

    def decide(self, item: Item) -> None:
        rule = next((one.rule for one in self.bearing if one.decides(self.request, item)), None)
        if rule is None:
            return
        self.by[item.key] = rule
        if not self._is_met(rule.effect, item):
            self.shut[item.key] = rule

    def _is_met(self, effect: Effect, item: Item) -> bool:
        if effect is Effect.ALLOW:
            return True
        if self.request.person is None or effect is Effect.DENY:
            return False
        fits = self.standing.fresh if effect is Effect.FRESH_SIGN_IN else item.key in self.standing.approved
        return fits or effect in self.met

    def settle(self, scopes: list[Item], tools: list[Item], implied: Implied) -> None:
        """Carry what is shut over to what depends on it, until nothing changes."""
        for scope in scopes:
            if scope.key in self.shut and self._is_carried(scope, tools):
                del self.shut[scope.key]
        while any([*(self._follows(scope, tools, implied) for scope in scopes), *map(self._lacks, tools)]):
            pass

    def _is_carried(self, scope: Item, tools: list[Item]) -> bool:
        """Whether a tool needs *scope* that a rule allows by name, before the one that shuts the scope."""
        order = {id(one.rule): place for place, one in enumerate(self.bearing)}
        barred = order[id(self.shut[scope.key])]
        needing = [tool for tool in tools if scope.name in tool.scopes and tool.key not in self.shut]
        rules = [self.by[tool.key] for tool in needing if tool.key in self.by]
        return any(order[id(rule)] < barred for rule in rules if rule.when.tools)

    def _follows(self, scope: Item, tools: list[Item], implied: Implied) -> bool:
        if scope.key in self.shut:
            return False
        own = [self.shut.get(tool.key) for tool in tools if scope.name in tool.scopes]
        inside = [self.shut.get(f"{ItemKind.SCOPE}:{name}") for name in implied(scope.name)]
        spent = own[0] if own and all(own) else None
        return self._shut_with(scope, spent or next(filter(None, inside), None))

    def _lacks(self, tool: Item) -> bool:
        if tool.key in self.shut:
            return False
        needed = (self.shut.get(f"{ItemKind.SCOPE}:{name}") for name in tool.scopes)
        return self._shut_with(tool, next(filter(None, needed), None))

    def _shut_with(self, item: Item, rule: Rule | None) -> bool:
        if rule is not None:
            self.shut[item.key] = rule
        return rule is not None


IN_THE_WAY = (
    (Effect.DENY, frozenset({Effect.APPROVAL, Effect.FRESH_SIGN_IN})),
    (Effect.APPROVAL, frozenset({Effect.FRESH_SIGN_IN})),
    (Effect.FRESH_SIGN_IN, frozenset[Effect]()),
)
"""What stands in the way of an item that is left out although all the rest is met, the strongest first."""


def rule_on(
    bearing: tuple[Bearing, ...], request: Request, items: Iterable[Item], standing: Standing, implied: Implied
) -> Ruling:
    """What the rules that are *bearing* on *request* leave of *items*; *implied* tells the scopes in a scope."""
    every = tuple(items)
    scopes = [item for item in every if item.kind is ItemKind.SCOPE]
    tools = [item for item in every if item.kind is ItemKind.TOOL]

    def decided(met: frozenset[Effect]) -> _Deciding:
        found = _Deciding(bearing, request, standing, met)
        for item in every if bearing else ():
            found.decide(item)
        if found.shut:
            found.settle(scopes, tools, implied)
        return found

    found, out = decided(frozenset()), dict[str, LeftOut]()
    for effect, met in IN_THE_WAY if found.shut else ():
        left = decided(met)
        for item in every:
            if rule := left.shut.get(item.key):
                out.setdefault(item.key, LeftOut(item, effect, rule, left.by.get(item.key) is rule))
    used = {id(rule) for rule in found.by.values()}
    return Ruling(
        scopes=frozenset(one.name for one in scopes if one.key not in out),
        tools=frozenset(one.name for one in tools if one.key not in out),
        out=tuple(out[item.key] for item in every if item.key in out),
        rules=tuple(one.rule for one in bearing if id(one.rule) in used),
    )
