"""What a request asks of single tools: by ``authorization_details`` (RFC 9396), or by scopes that guards derive (EX-7).

Clients that know nothing of tools echo the scope of a challenge to the letter, so guards put there what a call lacks:
``tool:<name>``, ``tool:<name>:once`` for a single call, ``limit:<id>`` for a call outside the limits that there are.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mcp_token_guard.limits import reading

from . import strict_json
from .errors import InvalidAuthorizationDetails
from .resource import Resource
from .tool import Mark
from .way import Way

TOOL = "tool:"
LIMIT = "limit:"
DERIVED = (TOOL, LIMIT)
"""What the scopes that guards derive begin with, which no MCP server's own may."""

ONCE = ":once"
MOST_DETAILS = 20


@dataclass(frozen=True, slots=True)
class ToolRequest:
    """``named`` tools are to be allowed, those in ``once`` for a single call; ``limit_ids`` name challenges.

    ``ways`` are those that ``authorization_details`` ask for, by tool; ``detailed`` says that there were some.
    """

    named: tuple[str, ...] = ()
    once: frozenset[str] = frozenset()
    limit_ids: tuple[str, ...] = ()
    ways: Mapping[str, tuple[Way, ...]] = field(default_factory=dict)
    detailed: bool = False

    @property
    def is_challenge(self) -> bool:
        """Whether a guard asked for something that the page has to be shown for."""
        return bool(self.named or self.limit_ids)

    def scopes_of(self, resource: Resource) -> tuple[str, ...]:
        """The scopes that the tools asked for need."""
        asked = {*self.named, *self.ways}
        return tuple(dict.fromkeys(scope for tool in resource.tools if tool.name in asked for scope in tool.scopes))


def split(asked: Iterable[str], known: Iterable[str]) -> tuple[tuple[str, ...], ToolRequest]:
    """The scope tokens of *asked* that are plain ones, and what the others say; a scope that is *known* is plain."""
    names = frozenset(known)
    plain, named, once, limits = [], [], [], []
    for token in asked:
        if token in names or not token.startswith(DERIVED):
            plain.append(token)
        elif token.startswith(LIMIT):
            limits.append(token.removeprefix(LIMIT))
        elif tool := token.removeprefix(TOOL).removesuffix(ONCE):
            named.append(tool)
            once += [tool] if token.endswith(ONCE) else []
    return tuple(plain), ToolRequest(tuple(dict.fromkeys(named)), frozenset(once), tuple(limits))


def parse(text: str | None, resource: Resource) -> dict[str, tuple[Way, ...]]:
    """The ways that the parameter ``authorization_details`` asks for, by tool (RFC 9396 §2), at *resource*.

    Raises `InvalidAuthorizationDetails` for what is not understood in whole (§5).
    """
    ways: dict[str, tuple[Way, ...]] = {}
    for value in _array(text) if text is not None else ():
        way = asked_way(value, resource)
        for name in value["tools"]:
            ways[name] = (*ways.get(name, ()), way)
    return ways


def check(asked: Mapping[str, tuple[Way, ...]], resource: Resource) -> None:
    """Raises `InvalidAuthorizationDetails` unless *resource* has the tools *asked* for, and may let them be called so.

    Not to be told to anybody who has not signed in: which tools there are is between a server and its people.
    """
    known = {tool.name: tool for tool in resource.tools if tool.mark is not Mark.GONE}
    for name, ways in asked.items():
        if name not in known:
            raise InvalidAuthorizationDetails(f"this server has no tool that is called {name}")
        if not all(way.no_wider(known[name].policy) for way in ways):
            raise InvalidAuthorizationDetails(f"an administrator has limited {name} further than that")


def asked_way(value: Any, resource: Resource) -> Way:  # noqa: ANN401 - whatever JSON holds
    """The way that *value*, one detail, asks for at *resource*. Raises `InvalidAuthorizationDetails`."""
    try:
        detail = reading.detail(value)
        way = Way.within(value)
    except ValueError as wrong:
        raise InvalidAuthorizationDetails(f"authorization_details: {wrong}") from None
    if detail.location != resource.identifier:
        raise InvalidAuthorizationDetails("locations has to be the identifier of the resource that is asked for")
    if "once" in value:
        raise InvalidAuthorizationDetails("once is for this server to give")
    return way


def _array(text: str) -> list[Any]:
    try:
        found = strict_json.value(text.encode())
    except ValueError:
        found = None
    if not isinstance(found, list) or not 0 < len(found) <= MOST_DETAILS:
        raise InvalidAuthorizationDetails(f"authorization_details is a JSON array of 1 to {MOST_DETAILS} objects")
    for value in found:
        if not isinstance(value, dict) or value.get("type") != reading.TYPE:
            raise InvalidAuthorizationDetails(f"every authorization detail is an object of the type {reading.TYPE}")
    return found
