"""From a `Detail` back to JSON, in one canonical form: equal details are equal JSON.

A default is left out, unless the rule would then say less: a number of any size is still a number.
"""

from typing import Any

from . import pointers
from .reading import TYPE
from .rule import Anything, Detail, Items, Limit, Number, OneOf, ReadOnlySql, Rule, Text


def detail(found: Detail) -> dict[str, Any]:
    """The element of ``authorization_details`` that *found* is."""
    members: dict[str, Any] = {"type": TYPE, "locations": [found.location], "tools": sorted(found.tools)}
    if found.limits is not None:
        members["limits"] = {pointers.write(steps): rule(each) for steps, each in found.limits}
    if found.additional:
        members["additional"] = "allow"
    return members


def rule(found: Rule) -> dict[str, Any]:
    """The JSON of one rule."""
    return {**_limit(found.limit), **({"optional": True} if found.optional else {})}


def _limit(limit: Limit) -> dict[str, Any]:
    match limit:
        case Anything():
            return {}
        case OneOf(values):
            return {"values": list(values)}
        case Text(under, ignore_case, matches, max_length):
            text = {"under": [str(path) for path in under], "ignore_case": ignore_case, "matches": list(matches)}
            return _told({name: value for name, value in text.items() if value}, max_length=max_length)
        case Number(minimum, maximum, integer):
            return _told({"integer": integer}, minimum=minimum, maximum=maximum)
        case Items(most, each):
            return _told({"items": _limit(each)}, max_items=most)
        case ReadOnlySql(dialect, functions):
            return {"sql": _told({"dialect": dialect}, functions=None if functions is None else sorted(functions))}


def _told(members: dict[str, Any], **more: object) -> dict[str, Any]:
    return members | {name: value for name, value in more.items() if value is not None}
