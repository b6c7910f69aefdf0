"""Does one detail grant no more than another? Sound, not complete: when in doubt it is wider, and refused.

So a client may ask, and a person may agree, for less than policy allows and never for more, and a refreshed or
exchanged token cannot gain.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace

from . import pointers
from .pointers import Steps
from .rule import Anything, Detail, Items, Limit, Number, OneOf, ReadOnlySql, Rule, Text, permits


def covered(asked: Iterable[Detail], granted: Collection[Detail]) -> bool:
    """Whether *granted*, taken together, allow every call that *asked* allow; each tool is looked at for itself."""
    return all(
        any(narrower(replace(detail, tools=frozenset({tool})), whole) for whole in granted)
        for detail in asked
        for tool in detail.tools
    )


def narrower(detail: Detail, whole: Detail) -> bool:
    """Whether every call that *detail* allows, *whole* allows too."""
    if detail.location != whole.location or not detail.tools <= whole.tools:
        return False
    if whole.limits is None:
        return True
    if detail.limits is None or (detail.additional and not whole.additional):
        return False
    mine, theirs = dict(detail.limits), dict(whole.limits)
    return all(
        _narrower_rule(mine[steps], rule) if steps in mine else _stays_absent(steps, rule, detail)
        for steps, rule in theirs.items()
    ) and all(steps in theirs or (whole.additional and _is_apart(steps, theirs)) for steps in mine)


def _stays_absent(steps: Steps, rule: Rule, detail: Detail) -> bool:
    """Whether *detail*, which has no rule at *steps*, never lets an argument in there, and none is needed."""
    return rule.optional and not detail.additional and _is_apart(steps, (own for own, _ in detail.limits or ()))


def _is_apart(steps: Steps, others: Iterable[Steps]) -> bool:
    """Whether *steps* neither contain nor lie in nor look like any of *others*."""
    lax = _lax(steps)
    return not any(lax[: len(other)] == other[: len(lax)] for other in map(_lax, others))


def _lax(steps: Steps) -> Steps:
    return tuple(map(pointers.folded, steps))


def _narrower_rule(rule: Rule, whole: Rule) -> bool:
    return (whole.optional or not rule.optional) and _narrower_limit(rule.limit, whole.limit)


def _narrower_limit(limit: Limit, whole: Limit) -> bool:
    return isinstance(whole, Anything) or _narrower_kind(limit, whole)


def _narrower_kind(limit: Limit, whole: Limit) -> bool:
    match limit, whole:
        case OneOf(values), _:
            return all(permits(whole, value) for value in values)
        case Text(), Text():
            return _narrower_text(limit, whole)
        case Number(), Number():
            return _narrower_number(limit, whole)
        case Items(), Items():
            return limit.bound <= whole.bound and _narrower_limit(limit.each, whole.each)
        case ReadOnlySql(), ReadOnlySql():
            fewer = whole.functions is None or (limit.functions is not None and limit.functions <= whole.functions)
            return limit.dialect == whole.dialect and fewer
    return False


def _narrower_text(limit: Text, whole: Text) -> bool:
    if whole.matches and not (limit.matches and set(limit.matches) <= set(whole.matches)):
        return False
    return limit.bound <= whole.bound and (not whole.under or _lies_under(limit, whole))


def _lies_under(limit: Text, whole: Text) -> bool:
    if not limit.under or (limit.ignore_case and not whole.ignore_case):
        return False
    return all(
        any(folder.contains(path, ignore_case=whole.ignore_case) for folder in whole.under) for path in limit.under
    )


def _narrower_number(limit: Number, whole: Number) -> bool:
    if whole.integer and not limit.integer:
        return False
    lowest_up = whole.minimum is None or (limit.minimum is not None and limit.minimum >= whole.minimum)
    return lowest_up and _at_most(limit.maximum, whole.maximum)


def _at_most(mine: float | None, theirs: float | None) -> bool:
    return theirs is None or (mine is not None and mine <= theirs)
