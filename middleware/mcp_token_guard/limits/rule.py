"""What an argument's value may be: the kinds of limits, and whether a value keeps to one.

Types are strict: a limit on text permits no number, a limit on numbers no text and no boolean. A limit that cannot be
judged (SQL, where no parser is at hand) permits nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from . import paths, patterns
from .paths import Path
from .pointers import Steps

Scalar = str | int | bool | None
Limit: TypeAlias = "Anything | OneOf | Text | Number | Items | ReadOnlySql"

MOST_TEXT = 10_000
MOST_MATCHED = 1_000
MOST_ITEMS = 100
LARGEST = 2**53 - 1
"""Past this, readers of JSON disagree about a number's value (RFC 8259 §6)."""


@dataclass(frozen=True, slots=True)
class Anything:
    """Named, and not limited: any JSON value."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of these values, of the same type."""

    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """A string: at or below one of the paths ``under``, of one of the patterns ``matches``, and not too long.

    ``max_length`` is in code points, 10,000 where it is not told, and 1,000 at most where there are patterns;
    ``ignore_case`` is about ``under``, for servers on a case-blind disk.
    """

    under: tuple[Path, ...] = ()
    ignore_case: bool = False
    matches: tuple[str, ...] = ()
    max_length: int | None = None

    @property
    def bound(self) -> int:
        """The length of a string, at most, in code points: patterns are held against short ones only."""
        most = MOST_TEXT if self.max_length is None else self.max_length
        return min(most, MOST_MATCHED) if self.matches else most


@dataclass(frozen=True, slots=True)
class Number:
    """A number between two bounds, both included; ``integer`` refuses fractions and exponents, ``1.0`` too."""

    minimum: int | float | None = None
    maximum: int | float | None = None
    integer: bool = False


@dataclass(frozen=True, slots=True)
class Items:
    """An array of at most ``max_items`` values, ``each`` under a limit of its own."""

    max_items: int | None
    each: Limit

    @property
    def bound(self) -> int:
        """The number of values, at most; 100 where each of them has to be looked at."""
        most = LARGEST if self.max_items is None else self.max_items
        return most if self.each == Anything() else min(most, MOST_ITEMS)


@dataclass(frozen=True, slots=True)
class ReadOnlySql:
    """One SQL query that reads, in this dialect, calling none but harmless functions (of ``functions``, if told)."""

    dialect: str
    functions: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """The limit on one argument; unless it is ``optional``, the argument has to be there."""

    limit: Limit
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Detail:
    """One element of ``authorization_details`` of type ``mcp_tool``: tools at one MCP server, with their limits.

    ``limits`` None: any arguments. Else they hold for every one of ``tools``, and arguments without a rule are refused,
    or let through where ``additional`` says so. ``once`` names a permission for one single call: the detail lets that
    call through after the authorization server has said that it was not made yet.
    """

    location: str
    tools: frozenset[str]
    limits: tuple[tuple[Steps, Rule], ...] | None = None
    additional: bool = False
    once: str | None = None


SqlJudge = Callable[[ReadOnlySql, str], bool]


def unjudged(_limit: ReadOnlySql, _text: str) -> bool:
    """The judge of SQL where there is no parser: nothing passes."""
    return False


def permits(limit: Limit, value: object, sql: SqlJudge = unjudged) -> bool:
    """Whether *value*, as JSON has it, keeps to *limit*."""
    match limit:
        case Anything():
            return True
        case OneOf(values):
            return any(type(value) is type(one) and value == one for one in values)
        case Text():
            return isinstance(value, str) and _permits_text(limit, value)
        case Number():
            return isinstance(value, int | float) and _permits_number(limit, value)
        case Items():
            return (
                isinstance(value, list)
                and len(value) <= limit.bound
                and all(permits(limit.each, item, sql) for item in value)
            )
        case ReadOnlySql():
            return isinstance(value, str) and len(value) <= MOST_TEXT and sql(limit, value)


def _permits_text(limit: Text, value: str) -> bool:
    if len(value) > limit.bound:
        return False
    if limit.matches and not _matches(limit, value):
        return False
    return not limit.under or _is_under(limit, value)


def _matches(limit: Text, value: str) -> bool:
    return any(patterns.read(pattern).takes(value) for pattern in limit.matches)


def _is_under(limit: Text, value: str) -> bool:
    try:
        path = paths.read(value)
    except ValueError:
        return False
    return any(folder.contains(path, ignore_case=limit.ignore_case) for folder in limit.under)


def _permits_number(limit: Number, value: float) -> bool:
    if isinstance(value, bool) or not abs(value) <= LARGEST:  # which NaN is not either
        return False
    if limit.integer and not isinstance(value, int):
        return False
    return (limit.minimum is None or value >= limit.minimum) and (limit.maximum is None or value <= limit.maximum)
