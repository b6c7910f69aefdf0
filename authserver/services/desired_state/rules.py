"""The rules of policy in a file: where it has some, they count in place of all others (docs/policies.md)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ...protocol.audit import Event
from ...protocol.flaw import Flaw
from ...protocol.policy import difference, reading
from ...protocol.policy.rule import Rule, Rules
from ...protocol.policy.words import sentence
from ...store import policies
from ...store.stores import Stores
from .changes import APPLY, CHANGE, Overtaken
from .difference import Difference


@dataclass(frozen=True, slots=True)
class RulesChange:
    """Let other rules count, in place of version ``seen``."""

    rules: Rules
    seen: int
    differences: tuple[Difference, ...]
    mark: str = CHANGE
    subject: str = "rules of policy"

    @property
    def consequence(self) -> str:
        """What no rules mean."""
        return "" if self.rules else "there are no rules then: everything is allowed"

    def make(self, stores: Stores, by: Event = APPLY) -> None:
        """Do it. Raises `Overtaken`."""
        try:
            stores.policies.apply(self.rules, self.seen, by.about(name="policy.applied"))
        except policies.Overtaken as other:
            raise Overtaken(str(other)) from None


def flaws(written: list[dict[str, Any]] | None) -> tuple[Flaw, ...]:
    """What is wrong with the rules of a file; nothing if it is silent about them."""
    try:
        reading.read(written or [])
    except reading.Unfit as wrong:
        return tuple(flaw.inside("rules") for flaw in wrong.flaws)
    return ()


def changes(stores: Stores, written: list[dict[str, Any]] | None) -> Iterator[RulesChange]:
    """The change that makes the rules *written*, which have no flaws, those that count; none if they are."""
    if written is None:
        return
    current, wanted = stores.policies.current(), reading.read(written)
    if found := tuple(map(_difference, difference.changes(current.rules, wanted))):
        yield RulesChange(wanted, current.version, found)


def _difference(change: difference.Change) -> Difference:
    if change.moved:
        return Difference(change.name, (), ())
    return Difference(change.name, _told(change.before), _told(change.after))


def _told(rule: Rule | None) -> tuple[str, ...]:
    if rule is None:
        return ()
    return (f"{sentence(rule)} ({rule.says})" if rule.says else sentence(rule),)
