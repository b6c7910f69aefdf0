"""Limits in words that people read, on the consent page and in refusals."""

import json
from collections.abc import Iterable

from .rule import Anything, Items, Limit, Number, OneOf, ReadOnlySql, Rule, Text


def of_rule(rule: Rule) -> str:
    """*rule* as the end of a sentence that the argument's name begins: ``path`` … ``only in /work``."""
    return of_limit(rule.limit) + (", or left out" if rule.optional else "")


def of_limit(limit: Limit) -> str:
    """*limit* in the same way."""
    match limit:
        case Anything():
            return "anything"
        case OneOf(values):
            return "only " + _listed(json.dumps(value, ensure_ascii=False) for value in values)
        case Text():
            return _text(limit)
        case Number():
            return _number(limit)
        case Items(most, each):
            count = "a list" if most is None else f"a list of at most {most}"
            return count if each == Anything() else f"{count}, each {of_limit(each)}"
        case ReadOnlySql(dialect, functions):
            calls = "" if functions is None else f", calling {_listed(sorted(functions)) or 'no function'}"
            return f"one query that only reads ({dialect}{calls})"


def _text(limit: Text) -> str:
    parts = []
    if limit.under:
        parts.append(f"only in {_listed(map(str, limit.under))}" + (" in any case" if limit.ignore_case else ""))
    if limit.matches:
        parts.append(f"like {_listed(limit.matches)}")
    if limit.max_length is not None:
        parts.append(f"at most {limit.max_length} characters")
    return ", ".join(parts) or "text"


def _number(limit: Number) -> str:
    kind = "a whole number" if limit.integer else "a number"
    low = "" if limit.minimum is None else f" from {limit.minimum}"
    high = "" if limit.maximum is None else f" up to {limit.maximum}"
    return kind + low + high


def _listed(names: Iterable[object]) -> str:
    *most, last = [str(name) for name in names] or [""]
    return f"{', '.join(most)} or {last}" if most else last
