"""Which rule decides: the first whose conditions all fit (decision 11)."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..scope import Risk
from .conditions import CONDITIONS, OF_ITEMS, OF_REQUESTS, Condition
from .request import Item, ItemKind, Request
from .rule import NONE, Conditions, Rule, Rules

ANYTHING = Item(ItemKind.SCOPE, "", Risk.READ)  # what conditions of requests are not asked about


@dataclass(frozen=True, slots=True)
class Considered:
    """A rule that was looked at, and why it does, or does not, decide."""

    rule: Rule
    fits: bool
    why: str


def bearing(rules: Rules, request: Request) -> Rules:
    """Those of *rules* that can decide anything about *request*, whatever its items are."""
    return tuple(rule for rule in rules if _bears(rule, request))


def deciding(rules: Rules, request: Request, item: Item) -> Rule | None:
    """The rule that decides *item*, of those that `bearing` left; None if none does."""
    return next((rule for rule in rules if _decides(rule, request, item)), None)


def considered(rules: Rules, request: Request, item: Item) -> Iterator[Considered]:
    """Each of *rules* in order, until one decides."""
    for rule in rules:
        found = _considered(rule, request, item)
        yield found
        if found.fits:
            return


def _bears(rule: Rule, request: Request) -> bool:
    if _missing(rule.when, OF_REQUESTS, request, ANYTHING):
        return False
    exempt = rule.unless != NONE and not any(condition.is_given(rule.unless) for condition in OF_ITEMS)
    return not (exempt and _missing(rule.unless, OF_REQUESTS, request, ANYTHING) is None)


def _decides(rule: Rule, request: Request, item: Item) -> bool:
    if _missing(rule.when, OF_ITEMS, request, item):
        return False
    return rule.unless == NONE or _missing(rule.unless, CONDITIONS, request, item) is not None


def _missing(conditions: Conditions, table: tuple[Condition, ...], request: Request, item: Item) -> Condition | None:
    """The first condition of *table* that is given and does not fit."""
    for condition in table:
        value = condition.of(conditions)
        if value not in ((), "", None) and not condition.fits(value, request, item):
            return condition
    return None


def _considered(rule: Rule, request: Request, item: Item) -> Considered:
    missing = _missing(rule.when, CONDITIONS, request, item)
    if missing is not None:
        return Considered(rule, False, f"{missing.name}: {missing.found(request, item)}")
    if rule.unless != NONE and _missing(rule.unless, CONDITIONS, request, item) is None:
        return Considered(rule, False, "what stands under unless holds")
    given = ", ".join(condition.name for condition in CONDITIONS if condition.is_given(rule.when))
    return Considered(rule, True, f"all of it fits: {given}" if given else "it has no conditions")
