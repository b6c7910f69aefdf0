"""What changes from one list of rules to another, rule by rule by their names."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..msg import Filled, msg
from .rule import Rule, Rules
from .words import sentence

MOVED = msg("= {}: from place {} to {}")
OTHER_WORDS = msg("= {}: other words to whoever is refused")


@dataclass(frozen=True, slots=True)
class Change:
    """``before`` is None for a rule that is new, ``after`` for one that goes; places count from 1."""

    name: str
    before: Rule | None
    after: Rule | None
    moved: tuple[int, int] | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """A line for what goes (``-``), comes (``+``), or takes another place (``=``)."""
        if self.moved:
            return (Filled(MOVED, self.name, *self.moved),)
        gone, new = (sentence(rule) if rule else None for rule in (self.before, self.after))
        if gone == new:
            return (Filled(OTHER_WORDS, self.name),)
        marked = (("-", gone), ("+", new))
        return tuple(Filled("{} {}: {}", mark, self.name, words) for mark, words in marked if words is not None)


def changes(before: Rules, after: Rules) -> Iterator[Change]:
    """The changes that make *after* of *before*: what goes first, then the rest in the new order."""
    old, new = {rule.name: rule for rule in before}, {rule.name: rule for rule in after}
    yield from (Change(rule.name, rule, None) for rule in before if rule.name not in new)
    stayed = [rule.name for rule in before if rule.name in new]
    kept = iter([name for name in new if name in old])
    order = dict(zip(stayed, kept, strict=True))
    for place, rule in enumerate(after, 1):
        was = old.get(rule.name)
        if was is None or was != rule:
            yield Change(rule.name, was, rule)
        elif order[rule.name] != rule.name:
            yield Change(rule.name, was, rule, ([one.name for one in before].index(rule.name) + 1, place))
