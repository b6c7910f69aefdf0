"""From JSON to a `Detail`, strictly: what is not known is refused, never skipped (RFC 9396 §5)."""

import re
from collections.abc import Mapping
from operator import itemgetter
from typing import Any

from . import paths, patterns, pointers
from .pointers import Steps
from .rule import LARGEST, MOST_TEXT, Anything, Detail, Items, Limit, Number, OneOf, ReadOnlySql, Rule, Scalar, Text

TYPE = "mcp_tool"
DIALECTS = ("postgres", "sqlite")
TOOL = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,200}")
FUNCTION = re.compile(r"[a-z_][a-z0-9_]{0,62}")
MOST_TOOLS = 500
MOST_RULES = 50
MOST_CHOICES = 100
MOST_PATTERNS = 10

PERMISSION = re.compile(r"[A-Za-z0-9_-]{22,64}")

MEMBERS = frozenset({"type", "locations", "tools", "limits", "additional", "once"})
OF_TEXT = frozenset({"under", "ignore_case", "matches", "max_length"})
OF_NUMBER = frozenset({"minimum", "maximum", "integer"})
OF_ARRAY = frozenset({"items", "max_items"})


def detail(value: object) -> Detail:
    """The detail that *value* is. Raises `ValueError`, saying what is wrong, for anything else."""
    members = _object(value, "a detail", MEMBERS)
    if members.get("type") != TYPE:
        raise ValueError(f"the type is {TYPE}")
    locations = _texts(members.get("locations"), "locations", most=1)
    tools = _texts(members.get("tools"), "tools", most=MOST_TOOLS)
    if not all(TOOL.fullmatch(tool) for tool in tools):
        raise ValueError("tools are named by 1 to 200 visible ASCII characters, each by its own name")
    limits = _limits(members["limits"]) if "limits" in members else None
    additional = members.get("additional", "deny")
    if additional not in ("deny", "allow") or ("additional" in members and limits is None):
        raise ValueError("additional is 'deny' or 'allow', and goes with limits")
    return Detail(locations[0], frozenset(tools), limits, additional == "allow", _permission(members))


def rule(value: object) -> Rule:
    """The rule that *value* is. Raises `ValueError`."""
    members = dict(_object(value, "a rule"))
    optional = members.pop("optional", False)
    if not isinstance(optional, bool):
        raise ValueError("optional is true or false")  # noqa: TRY004 - of the text, not of an argument
    return Rule(_limit(members), optional)


def _permission(members: Mapping[str, Any]) -> str | None:
    value = members.get("once")
    if "once" in members and not (isinstance(value, str) and PERMISSION.fullmatch(value)):
        raise ValueError("once is a permission's name, 22 to 64 letters, digits, '-' or '_'")
    return value


def _limits(value: object) -> tuple[tuple[Steps, Rule], ...]:
    members = _object(value, "limits")
    if len(members) > MOST_RULES:
        raise ValueError(f"limits has at most {MOST_RULES} rules")
    found = sorted(((pointers.read(pointer), rule(each)) for pointer, each in members.items()), key=itemgetter(0))
    lax = [tuple(map(pointers.folded, steps)) for steps, _ in found]
    if any(one == other[: len(one)] for n, one in enumerate(lax) for m, other in enumerate(lax) if n != m):
        raise ValueError("two rules are about the same argument, or one about a part of the other's")
    return tuple(found)


def _limit(members: Mapping[str, Any]) -> Limit:
    """The limit of an argument, which may be a list; its items are no lists again, and no SQL."""
    names = frozenset(members)
    if names == {"sql"}:
        return _sql(members["sql"])
    if names and names <= OF_ARRAY:
        return Items(_count(members, "max_items"), _plain(_object(members.get("items", {}), "items")))
    return _plain(members)


def _plain(members: Mapping[str, Any]) -> Limit:
    names = frozenset(members)
    if not names:
        return Anything()
    if names == {"values"}:
        return OneOf(_values(members["values"]))
    if names <= OF_TEXT:
        return _text(members)
    if names <= OF_NUMBER:
        return _number(members)
    raise ValueError("a rule is of one kind: values, text, number, array or sql, and has no other members")


def _text(members: Mapping[str, Any]) -> Text:
    under = tuple(map(paths.read, _texts(members["under"], "under"))) if "under" in members else ()
    matches = _texts(members["matches"], "matches", most=MOST_PATTERNS) if "matches" in members else ()
    for pattern in matches:
        patterns.read(pattern)
    ignore_case = _flag(members, "ignore_case")
    if "ignore_case" in members and not under:
        raise ValueError("ignore_case goes with under")
    return Text(tuple(sorted(set(under), key=str)), ignore_case, tuple(sorted(matches)), _count(members, "max_length"))


def _number(members: Mapping[str, Any]) -> Number:
    low, high = _bound(members, "minimum"), _bound(members, "maximum")
    if low is not None and high is not None and low > high:
        raise ValueError("minimum is not above maximum")
    return Number(low, high, _flag(members, "integer"))


def _sql(value: object) -> ReadOnlySql:
    members = _object(value, "sql", frozenset({"dialect", "functions"}))
    dialect = members.get("dialect")
    if dialect not in DIALECTS:
        raise ValueError(f"sql needs a dialect: {' or '.join(DIALECTS)}")
    if "functions" not in members:
        return ReadOnlySql(dialect)
    functions = _texts(members["functions"], "functions", least=0)
    if not all(FUNCTION.fullmatch(name) for name in functions):
        raise ValueError("functions are plain names in lower case")
    return ReadOnlySql(dialect, frozenset(functions))


def _object(value: object, what: str, known: frozenset[str] | None = None) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} is a JSON object")  # noqa: TRY004 - of the text, not of an argument
    if known is not None and not known.issuperset(value):
        raise ValueError(f"{what} has no members but {', '.join(sorted(known))}")
    return value


def _texts(value: object, what: str, *, least: int = 1, most: int = MOST_CHOICES) -> tuple[str, ...]:
    """Distinct strings, as many as there may be."""
    if not isinstance(value, list) or not least <= len(value) <= most:
        raise ValueError(f"{what} is an array of {least} to {most} strings")
    if not all(isinstance(text, str) and 0 < len(text) <= MOST_TEXT for text in value) or len(set(value)) < len(value):
        raise ValueError(f"{what} has strings that differ, of 1 to {MOST_TEXT} characters")
    return tuple(value)


def _values(value: object) -> tuple[Scalar, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_CHOICES:
        raise ValueError(f"values is an array of 1 to {MOST_CHOICES} values")
    for one in value:
        if isinstance(one, float) or not isinstance(one, str | int | None):
            raise ValueError("values are strings, integers, booleans or null")  # noqa: TRY004 - as above
        if (isinstance(one, int) and abs(one) > LARGEST) or (isinstance(one, str) and len(one) > MOST_TEXT):
            raise ValueError("a value is too large")
    return tuple(sorted(value, key=lambda one: (type(one).__name__, str(one))))


def _flag(members: Mapping[str, Any], name: str) -> bool:
    value = members.get(name, False)
    if not isinstance(value, bool):
        raise ValueError(f"{name} is true or false")  # noqa: TRY004 - of the text, not of an argument
    return value


def _count(members: Mapping[str, Any], name: str) -> int | None:
    value = members.get(name)
    if name in members and (type(value) is not int or not 0 <= value <= LARGEST):
        raise ValueError(f"{name} is an integer from 0 on")
    return value


def _bound(members: Mapping[str, Any], name: str) -> int | float | None:
    if name not in members:
        return None
    value = members[name]
    if type(value) not in (int, float) or not abs(value) <= LARGEST:
        raise ValueError(f"{name} is a number, and not past 2**53")
    return value  # type: ignore[no-any-return]
