"""Scopes: their grammar (RFC 6749 §3.3), and what a broader one implies."""

import re
from collections.abc import Iterable, Mapping

SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")

ScopeNames = str | Iterable[str]


def names(value: ScopeNames) -> tuple[str, ...]:
    """The scope names in *value*, a space-separated string or several names, in order and without repeats.

    Raises `ValueError` for a name outside the grammar; what passes needs no escaping in a challenge.
    """
    found = value.split() if isinstance(value, str) else tuple(value)
    for name in found:
        if not SCOPE.fullmatch(name):
            raise ValueError(f"{name!r} is not a scope name (RFC 6749 section 3.3)")
    return tuple(dict.fromkeys(found))


class Hierarchy:
    """Which scope contains which others, at any depth.

    ``Hierarchy({"notes:write": "notes:read"}).reach(["notes:write"])`` holds both.
    """

    def __init__(self, implies: Mapping[str, ScopeNames]) -> None:
        direct = {scope: names(others) for scope, others in implies.items()}
        self._closure = {scope: _closure(scope, direct) for scope in direct}

    def reach(self, granted: Iterable[str]) -> frozenset[str]:
        """*granted* and all that they imply."""
        scopes = frozenset(granted)
        return scopes.union(*(self._closure[scope] for scope in scopes if scope in self._closure))


def _closure(scope: str, direct: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    reached: set[str] = set()
    waiting = [scope]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(direct.get(name, ()))
    return frozenset(reached)
