"""Limits in words that people read, on the consent page and in refusals.

``say`` puts a phrase into the reader's language; its values take their places in it afterwards.
"""

import json
from collections.abc import Callable, Iterable

from .rule import Anything, Items, Limit, Number, OneOf, ReadOnlySql, Rule, Text

Say = Callable[[str], str]


def of_rule(rule: Rule, say: Say = str) -> str:
    """*rule* as the end of a sentence that the argument's name begins: ``path`` … ``only in /work``."""
    said = of_limit(rule.limit, say)
    return say("{}, or left out").format(said) if rule.optional else said


def of_limit(limit: Limit, say: Say = str) -> str:
    """*limit* in the same way."""
    match limit:
        case Anything():
            return say("anything")
        case OneOf(values):
            return say("only {}").format(_listed((json.dumps(value, ensure_ascii=False) for value in values), say))
        case Text():
            return _text(limit, say)
        case Number():
            return _number(limit, say)
        case Items(most, each):
            count = say("a list") if most is None else say("a list of at most {}").format(most)
            return count if each == Anything() else say("{}, each {}").format(count, of_limit(each, say))
        case ReadOnlySql(dialect, functions):
            return say("one query that only reads ({})").format(dialect + _calls(functions, say))


def _calls(functions: Iterable[str] | None, say: Say) -> str:
    if functions is None:
        return ""
    return ", " + say("calling {}").format(_listed(sorted(functions), say) or say("no function"))


def _text(limit: Text, say: Say) -> str:
    parts = []
    if limit.under:
        places = say("only in {} in any case") if limit.ignore_case else say("only in {}")
        parts.append(places.format(_listed(map(str, limit.under), say)))
    if limit.matches:
        parts.append(say("like {}").format(_listed(limit.matches, say)))
    if limit.max_length is not None:
        parts.append(say("at most {} characters").format(limit.max_length))
    return ", ".join(parts) or say("text")


def _number(limit: Number, say: Say) -> str:
    kind = say("a whole number") if limit.integer else say("a number")
    low = "" if limit.minimum is None else " " + say("from {}").format(limit.minimum)
    high = "" if limit.maximum is None else " " + say("up to {}").format(limit.maximum)
    return kind + low + high


def _listed(names: Iterable[object], say: Say) -> str:
    *most, last = [str(name) for name in names] or [""]
    return say("{} or {}").format(", ".join(most), last) if most else last
