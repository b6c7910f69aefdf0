"""Which rule decides: the first whose conditions all fit (decision 11).

Rules are compiled once: what depends on the request alone is asked once for a request, not again for each item, and
nothing is asked that a rule does not say.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..msg import Filled, msg
from ..scope import Risk
from .conditions import CONDITIONS, OF_ITEMS, OF_REQUESTS, Condition
from .request import Item, ItemKind, Request
from .rule import NONE, Conditions, Rule, Rules

ANYTHING = Item(ItemKind.SCOPE, "", Risk.READ)  # what conditions of requests are not asked about
ALL_FITS, NO_CONDITIONS = msg("all of it fits: {}"), msg("it has no conditions")
EXEMPT = msg("what stands under unless holds")
Checks = tuple[tuple[Condition, Any], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Bearing:
    """A rule that bears on a request: it decides the items that fit ``items``, unless (not None) ``unless`` fits."""

    rule: Rule
    items: Checks
    unless: Checks | None = None

    def decides(self, request: Request, item: Item) -> bool:
        """Whether it decides *item*."""
        exempt = self.unless is not None and _fit(self.unless, request, item)
        return not exempt and _fit(self.items, request, item)


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """What a request has to be for the rule to bear on it, and what is left to ask then."""

    asked: Checks
    exempt: Checks
    plain: Bearing
    but_for: Bearing | None

    def bears(self, request: Request) -> Bearing | None:
        """What is left of the rule for *request*; None if it can decide nothing of it."""
        if not _fit(self.asked, request, ANYTHING):
            return None
        if self.but_for is None or not _fit(self.exempt, request, ANYTHING):
            return self.plain
        return self.but_for if self.but_for.unless else None


Compiled = tuple[CompiledRule, ...]


@dataclass(frozen=True, slots=True)
class Considered:
    """A rule that was looked at, and why it does, or does not, decide."""

    rule: Rule
    fits: bool
    why: str


def compiled(rules: Rules) -> Compiled:
    """*rules*, ready to be asked again and again."""
    return tuple(_compiled(rule) for rule in rules)


def bearing(rules: Compiled, request: Request) -> tuple[Bearing, ...]:
    """What of *rules* can decide anything about *request*, in order."""
    return tuple(found for rule in rules if (found := rule.bears(request)) is not None)


def considered(rules: Rules, request: Request, item: Item) -> Iterator[Considered]:
    """Each of *rules* in order, until one decides."""
    for rule in rules:
        found = _considered(rule, request, item)
        yield found
        if found.fits:
            return


def _compiled(rule: Rule) -> CompiledRule:
    items = _checks(rule.when, OF_ITEMS)
    but_for = Bearing(rule, items, _checks(rule.unless, OF_ITEMS)) if rule.unless != NONE else None
    asked, exempt = _checks(rule.when, OF_REQUESTS), _checks(rule.unless, OF_REQUESTS)
    return CompiledRule(asked, exempt, Bearing(rule, items), but_for)


def _checks(conditions: Conditions, table: tuple[Condition, ...]) -> Checks:
    return tuple((condition, condition.of(conditions)) for condition in table if condition.is_given(conditions))


def _fit(checks: Checks, request: Request, item: Item) -> bool:
    for condition, value in checks:  # noqa: SIM110 - asked for every rule at every refresh: all() takes twice as long
        if not condition.fits(value, request, item):
            return False
    return True


def _considered(rule: Rule, request: Request, item: Item) -> Considered:
    for condition, value in _checks(rule.when, CONDITIONS):
        if not condition.fits(value, request, item):
            return Considered(rule, False, Filled("{}: {}", condition.name, condition.found(request, item)))
    if rule.unless != NONE and _fit(_checks(rule.unless, CONDITIONS), request, item):
        return Considered(rule, False, Filled(EXEMPT))
    given = ", ".join(condition.name for condition, _ in _checks(rule.when, CONDITIONS))
    return Considered(rule, True, Filled(ALL_FITS, given) if given else Filled(NO_CONDITIONS))
