"""A call's arguments against one detail: the first rule that they break, if any."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from . import pointers, words
from .pointers import Steps
from .rule import Detail, Rule, SqlJudge, permits

ABSENT = object()
MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Breach:
    """Why a call of ``tool`` is refused: which ``argument`` breaks which ``rule``, in words.

    ``argument`` is a JSON Pointer, empty where it is about the call as a whole.
    """

    tool: str
    argument: str
    rule: str

    def __str__(self) -> str:
        return f"{self.tool}: {self.argument or 'the call'} {self.rule}"


@dataclass(frozen=True, slots=True)
class Judge:
    """Holds calls against one detail.

    ``ruled`` are the arguments with a rule, ``ways`` the objects on the way to them, ``taken`` the names of both, as
    lax readers take them.
    """

    detail: Detail
    ruled: frozenset[Steps]
    ways: frozenset[Steps]
    taken: frozenset[Steps]

    @classmethod
    def of(cls, detail: Detail) -> "Judge":
        """The judge by *detail*."""
        ruled = frozenset(steps for steps, _ in detail.limits or ())
        ways = frozenset(steps[:n] for steps in ruled for n in range(len(steps)))
        taken = frozenset((*steps[:-1], pointers.folded(steps[-1])) for steps in ruled | ways if steps)
        return cls(detail, ruled, ways, taken)

    def breach(self, tool: str, arguments: object, sql: SqlJudge) -> Breach | None:
        """What of the detail, which names *tool*, the *arguments* break."""
        if self.detail.limits is None:
            return None
        if not isinstance(arguments, dict):
            return Breach(tool, "", "needs an object of arguments")
        for steps, rule in self.detail.limits:
            if problem := _problem(rule, _found(arguments, steps), sql):
                return Breach(tool, pointers.write(steps), problem)
        for stranger in self._strangers(arguments, ()):
            return Breach(tool, pointers.write(stranger)[:MOST_SHOWN], "is not among the arguments that were allowed")
        return None

    def reserve(self, tool: str) -> Breach | None:
        """What stands in the way of a call within the limits of the detail: that it is for one single call."""
        return None if self.detail.once is None else Breach(tool, "", "is allowed once only")

    def _strangers(self, value: object, at: Steps) -> Iterator[Steps]:
        """Arguments that no rule speaks of and that may not be there, at *at* and below."""
        if not isinstance(value, dict):
            yield at
            return
        for name, member in value.items():
            steps = (*at, name)
            if steps in self.ways:
                yield from self._strangers(member, steps)
            elif steps not in self.ruled and not self._admits(steps):
                yield steps

    def _admits(self, steps: Steps) -> bool:
        """Whether an argument without a rule may be there: not if it looks like one with a rule."""
        return self.detail.additional and (*steps[:-1], pointers.folded(steps[-1])) not in self.taken


def _problem(rule: Rule, value: object, sql: SqlJudge) -> str:
    if value is ABSENT:
        return "" if rule.optional else f"has to be given: {words.of_rule(rule)}"
    return "" if permits(rule.limit, value, sql) else f"may be {words.of_rule(rule)}"


def _found(arguments: Mapping[str, Any], steps: Steps) -> object:
    """The value at *steps*; what is no object on the way there is refused as a stranger."""
    value: object = arguments
    for step in steps:
        if not isinstance(value, dict) or step not in value:
            return ABSENT
        value = value[step]
    return value
