"""Receipts of tool calls, as the guard of an MCP server sends them: what is taken for one, and what is refused (RS-8).

A receipt says who called which tool through which client, and how it ended. It is the word of the server's guard: read
strictly here, and held against the grants by whoever stores it.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from . import strict_json
from .errors import InvalidRequest

MOST_RECEIPTS = 500
MOST_CHARACTERS = 256
MOST_ID_CHARACTERS = 2048
MOST_ARGUMENTS = 32
MOST_LOST = 2**31
SKEW_SECONDS = 300
OUTCOME = (
    "(ok|tool error|error( -?[0-9]{1,19})?|refused -?[0-9]{1,19}|broken off|answered)"
    "(, one-time permission (spent|needed|unconfirmed))?"
)
REFUSED = "refused"

Check = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class ToolReceipt:
    """One call. ``at_ms`` is in Unix milliseconds; the values of ``arguments`` are scalars, redacted by the guard.

    ``family`` is the one of the token's refresh family, None where the ``jti`` named none.
    """

    id: str
    at_ms: int
    subject: str
    client: str
    family: str | None
    tool: str
    arguments: dict[str, Any]
    outcome: str
    status: int | None
    duration_ms: float
    correlation_id: str
    trace_id: str | None
    span_id: str | None

    @property
    def refused(self) -> bool:
        """Whether the guard kept the call from the server."""
        return self.outcome.startswith(REFUSED)


@dataclass(frozen=True, slots=True)
class Unread:
    """A receipt that is not taken: its place in the batch, and why."""

    index: int
    reason: str


def parse(text: str, now: float) -> tuple[tuple[ToolReceipt, ...], tuple[Unread, ...]]:
    """What the batch *text* (a JSON array) holds at *now* (Unix seconds): receipts, and what is none.

    Raises `InvalidRequest` for what is no array of at most 500.
    """
    try:
        found = strict_json.value(text.encode("utf-8", "surrogatepass"))
    except ValueError:
        found = None
    if not isinstance(found, list) or len(found) > MOST_RECEIPTS:
        raise InvalidRequest(f"receipts must be a JSON array of at most {MOST_RECEIPTS}")
    good: list[ToolReceipt] = []
    bad: list[Unread] = []
    for index, given in enumerate(found):
        try:
            good.append(_receipt(given, now))
        except ValueError as wrong:
            bad.append(Unread(index, str(wrong)))
    return tuple(good), tuple(bad)


def lost(text: str | None) -> int:
    """How many receipts the guard says it lost. Raises `InvalidRequest`."""
    if text is None:
        return 0
    if not (text.isascii() and text.isdecimal() and len(text) <= 10 and int(text) <= MOST_LOST):
        raise InvalidRequest("lost must be a number of receipts")
    return int(text)


def _receipt(given: object, now: float) -> ToolReceipt:
    if not isinstance(given, dict):
        raise ValueError("a receipt is an object")  # noqa: TRY004 - of the text, not of an argument
    if odd := given.keys() ^ MEMBERS.keys():
        raise ValueError(f"its members are {', '.join(MEMBERS)}; {len(odd)} are missing or unknown")
    for name, is_right in MEMBERS.items():
        if not is_right(given[name]):
            raise ValueError(f"{name} is not as it should be")
    at = _moment(given["time"])
    if at > now + SKEW_SECONDS:
        raise ValueError("time lies in the future")
    members = {name: given[name] for name in MEMBERS if name != "time"}
    return ToolReceipt(at_ms=int(at * 1000), **members)


def _moment(text: str) -> float:
    try:
        found = datetime.fromisoformat(text)
        return found.timestamp() if found.tzinfo and found.year >= 2000 else math.inf
    except (ValueError, OverflowError):
        return math.inf


def _text(most: int) -> Check:
    return lambda value: isinstance(value, str) and 0 < len(value) <= most


def _matching(pattern: str) -> Check:
    compiled = re.compile(pattern, re.ASCII)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def _optional(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _is_status(value: Any) -> bool:  # noqa: ANN401 - any JSON
    return type(value) is int and 100 <= value <= 599


def _is_duration(value: Any) -> bool:  # noqa: ANN401 - any JSON
    return type(value) in (int, float) and 0 <= value <= 1e12


def _are_arguments(value: Any) -> bool:  # noqa: ANN401 - any JSON
    if not isinstance(value, dict) or len(value) > MOST_ARGUMENTS:
        return False
    return all(len(name) <= MOST_CHARACTERS and _is_argument(given) for name, given in value.items())


def _is_argument(value: Any) -> bool:  # noqa: ANN401 - any JSON
    if isinstance(value, str):
        return len(value) <= MOST_CHARACTERS
    return value is None or (isinstance(value, bool | int | float) and abs(value) < 1e300)


MEMBERS: dict[str, Check] = {
    "id": _matching("[A-Za-z0-9_-]{22,64}"),
    "time": _matching("[0-9:.T+Z-]{20,40}"),
    "subject": _text(MOST_CHARACTERS),
    "client": _text(MOST_ID_CHARACTERS),
    "family": _optional(_text(MOST_CHARACTERS)),
    "tool": _text(MOST_CHARACTERS),
    "arguments": _are_arguments,
    "outcome": _matching(OUTCOME),
    "status": _optional(_is_status),
    "duration_ms": _is_duration,
    "correlation_id": _matching("[A-Za-z0-9._-]{1,64}"),
    "trace_id": _optional(_matching("[0-9a-f]{32}")),
    "span_id": _optional(_matching("[0-9a-f]{16}")),
}
"""What a receipt has, all of it."""
