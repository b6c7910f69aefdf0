"""JSON as RFC 8259 has it, and not as parsers guess: two readers of one text must not see two things.

UTF-8 only, no name twice in an object, no NaN, no number or nesting past what Python reads.
"""

import json
from typing import Any


def loads(text: bytes) -> dict[str, Any]:
    """The object in *text*. Raises ValueError for anything else, whatever is wrong with it."""
    found = value(text)
    if not isinstance(found, dict):
        raise ValueError("not an object")  # noqa: TRY004 - of the text, not of an argument
    return found


def exact(text: bytes) -> dict[str, Any]:
    """As `loads`; ValueError also for what no UTF-8 can say again: lone surrogates, numbers past a float (RFC 7493)."""
    found = loads(text)
    try:
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return found


def value(text: bytes) -> object:
    """Whatever is in *text*. Raises ValueError if that is not JSON."""
    try:
        return _DECODER.decode(text.decode("utf-8"))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("the same name twice in one object")
    return members


def _constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_members, parse_constant=_constant)
