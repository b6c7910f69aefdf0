"""Rules read from what a file says, already as plain lists and mappings, and written as such again."""

from collections.abc import Callable, Iterator
from typing import Any

from ..client import ClientKind
from ..flaw import Flaw
from ..msg import Filled, msg
from ..role import Role
from ..scope import TOKEN, Risk
from .conditions import CONDITIONS, DAYS, Condition, minutes, network
from .request import FACTORS, NO_FACTOR
from .rule import NONE, Conditions, Effect, Rule, Rules

MOST_RULES, MOST_ENTRIES, MOST_STARS = 500, 500, 4
MOST_NAME, MOST_SAYS, MOST_ENTRY = 100, 300, 2048
A_RULE = msg("a rule is a mapping with name, effect and conditions")
ONE_OF, KIND_OF = msg("one of: {}"), msg("{} is one of: {}")
CHARACTERS = msg("{} to {} printable characters")
ENTRIES = msg("1 to {} entries: what says nothing is left out")
STARS = msg("a name, or one with at most {} * in it for anything")
NO_RANGE = msg("no address range such as 10.0.0.0/8 (the bits behind the range have to be 0)")
MEMBERS = ("name", "effect", "unless", "says")
WHO = {"user": None, "group": None, "role": frozenset(Role)}
THROUGH = {"client": None, "host": None, "known": None, "kind": frozenset(ClientKind)}


class Unfit(ValueError):
    """What was written are no rules; ``flaws`` tell why."""

    def __init__(self, flaws: tuple[Flaw, ...]) -> None:
        super().__init__("\n".join(map(str, flaws)))
        self.flaws = flaws


def read(content: object) -> Rules:
    """The rules of *content*, a list of mappings. Raises `Unfit` with all that is wrong."""
    if not isinstance(content, list) or len(content) > MOST_RULES:
        raise Unfit((Flaw((), Filled(msg("a list of at most {} rules"), MOST_RULES)),))
    flaws: list[Flaw] = []
    rules = [_rule(entry, index, flaws) for index, entry in enumerate(content)]
    seen: set[str] = set()
    for index, rule in enumerate(rules):
        if rule.name in seen:
            flaws.append(Flaw((index, "name"), Filled(msg("two rules have this name"))))
        seen.add(rule.name)
    if flaws:
        raise Unfit(tuple(flaws))
    return tuple(rules)


def written(rules: Rules) -> list[dict[str, Any]]:
    """*rules* as `read` takes them."""
    return [
        {
            "name": rule.name,
            "effect": str(rule.effect),
            **_members(rule.when),
            **({"unless": _members(rule.unless)} if rule.unless != NONE else {}),
            **({"says": rule.says} if rule.says else {}),
        }
        for rule in rules
    ]


def _members(conditions: Conditions) -> dict[str, Any]:
    given = {one.name: one.of(conditions) for one in CONDITIONS if one.is_given(conditions)}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}


def _rule(entry: object, index: int, flaws: list[Flaw]) -> Rule:
    if not isinstance(entry, dict):
        flaws.append(Flaw((index,), Filled(A_RULE)))
        return Rule(f"#{index}", Effect.DENY)
    effect = entry.get("effect")
    if not isinstance(effect, str) or effect not in set(Effect):
        flaws.append(Flaw((index, "effect"), Filled(ONE_OF, ", ".join(Effect))))
        effect = Effect.DENY
    unless = entry.get("unless", {})
    if not isinstance(unless, dict) or ("unless" in entry and not unless):
        flaws.append(Flaw((index, "unless"), Filled(msg("a mapping of conditions"))))
        unless = {}
    when = {name: value for name, value in entry.items() if name not in MEMBERS}
    return Rule(
        name=_text(entry, "name", MOST_NAME, index, flaws, required=True),
        effect=Effect(effect),
        when=_conditions(when, (index,), flaws),
        unless=_conditions(unless, (index, "unless"), flaws),
        says=_text(entry, "says", MOST_SAYS, index, flaws),
    )


def _text(entry: dict[str, Any], name: str, most: int, index: int, flaws: list[Flaw], required: bool = False) -> str:
    value = entry.get(name, "")
    if isinstance(value, str) and value.isprintable() and len(value) <= most and (value.strip() or not required):
        return value.strip()
    flaws.append(Flaw((index, name), Filled(CHARACTERS, int(required), most)))
    return ""


def _conditions(entry: dict[str, Any], where: tuple[str | int, ...], flaws: list[Flaw]) -> Conditions:
    known = {condition.name: condition for condition in CONDITIONS}
    found: dict[str, Any] = {}
    for name, value in entry.items():
        condition = known.get(name)
        if condition is None:
            flaws.append(Flaw((*where, str(name)), Filled(msg("no such condition: {}"), ", ".join(known))))
        else:
            found[condition.field] = _value(condition, value, (*where, name), flaws)
    return Conditions(**found)


def _value(condition: Condition, value: object, where: tuple[str | int, ...], flaws: list[Flaw]) -> Any:  # noqa: ANN401
    if condition.name == "verified":
        if not isinstance(value, bool):
            flaws.append(Flaw(where, Filled(msg("true or false"))))
        return value
    if condition.name == "hours":
        flaws.extend(_wrong(minutes, value, where))
        return value
    entries = value if isinstance(value, list) else [value]
    if not 0 < len(entries) <= MOST_ENTRIES:
        flaws.append(Flaw(where, Filled(ENTRIES, MOST_ENTRIES)))
    for index, one in enumerate(entries):
        flaws.extend(_wrong(CHECKS[condition.name], one, (*where, index)))
    return tuple(_lowered(one) for one in entries)


def _lowered(entry: object) -> object:
    """User names and hosts are told apart without regard to case."""
    return entry.casefold() if isinstance(entry, str) and entry.startswith(("user:", "host:")) else entry


def _wrong(check: Callable[[str], object], value: object, where: tuple[str | int, ...]) -> Iterator[Flaw]:
    if not isinstance(value, str) or not 0 < len(value) <= MOST_ENTRY or not value.isprintable():
        yield Flaw(where, Filled(msg("a text of 1 to {} printable characters"), MOST_ENTRY))
        return
    try:
        check(value)
    except ValueError as wrong:
        yield Flaw(where, str(wrong))


def _prefixed(kinds: dict[str, frozenset[str] | None], alone: tuple[str, ...]) -> Callable[[str], None]:
    forms = [*alone, *(f"{kind}:…" for kind in kinds)]

    def check(text: str) -> None:
        kind, colon, name = text.partition(":")
        choice = kinds.get(kind)
        if text in alone or (kind in kinds and colon and name and (choice is None or name in choice)):
            return
        raise ValueError(Filled(KIND_OF, kind, ", ".join(choice)) if choice else Filled(ONE_OF, ", ".join(forms)))

    return check


def _one_of(names: tuple[str, ...]) -> Callable[[str], None]:
    def check(text: str) -> None:
        if text not in names:
            raise ValueError(Filled(ONE_OF, ", ".join(names)))

    return check


def _pattern(text: str) -> None:
    if not TOKEN.fullmatch(text) or text.count("*") > MOST_STARS:
        raise ValueError(Filled(STARS, MOST_STARS))


def _range(text: str) -> None:
    try:
        network(text)
    except ValueError:
        raise ValueError(Filled(NO_RANGE)) from None


CHECKS: dict[str, Callable[[str], object]] = {
    "who": _prefixed({**WHO}, ("person", "machine")),
    "through": _prefixed({**THROUGH}, ()),
    "servers": lambda text: None,
    "days": _one_of(DAYS),
    "from": _range,
    "factor": _one_of((*FACTORS.values(), NO_FACTOR)),
    "tools": _pattern,
    "scopes": _pattern,
    "risks": _one_of(tuple(Risk)),
}
