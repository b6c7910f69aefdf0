"""What a token says of tools: made of scopes, of the person's decisions, and of the catalogue as it is now (EX-7)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from mcp_token_guard.limits import narrowing, reading

from ..observability.tally import Tally
from ..protocol import scope, tool_permission
from ..protocol.access_token import Authority, ClientAuthority
from ..protocol.ports import Resources
from ..protocol.resource import Resource, identified
from ..protocol.tool_permission import UNKNOWN, Permissions

MOST_KEPT = 4096
Key = tuple[str, tuple[str, ...], str | None, frozenset[str]]
NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ToolDetails:
    """``details`` for the claim ``authorization_details``; ``ends`` (Unix seconds) when the first of them does."""

    details: list[dict[str, Any]]
    ends: int | None


@dataclass(frozen=True, slots=True)
class _Kept:
    """``details`` by what they are made of, all of them of the same ``known`` servers."""

    known: Iterable[Resource]
    details: dict[Key, ToolDetails | None] = field(default_factory=dict)


class ToolDetailing:
    """Tells the details of tokens. What was worked out is kept until a server changes or a permission ends."""

    def __init__(self, resources: Resources) -> None:
        """*resources* with their catalogues."""
        self._resources = resources
        self._kept = _Kept(())
        self.used = Tally()

    def of(
        self, authority: Authority | ClientAuthority, scopes: tuple[str, ...], now: int, closed: frozenset[str] = NONE
    ) -> ToolDetails | None:
        """The details of a token with *scopes*; None for a server whose tools are not known: scopes alone count.

        Tools that are *closed* by policy are left out.
        """
        known, kept = self._resources.all(), self._kept
        if known is not kept.known or len(kept.details) >= MOST_KEPT:
            kept = self._kept = _Kept(known)
        # From here on only the pair in hand counts: another thread may put a newer one in its place meanwhile.
        key = (authority.resource, scopes, authority.tools, closed)
        found = kept.details.get(key)
        if key not in kept.details or (found and found.ends is not None and found.ends <= now):
            found = kept.details[key] = _make(kept.known, authority, scopes, now, closed)
            self.used.add("miss")
        else:
            self.used.add("hit")
        return found

    def still(
        self, said: list[dict[str, Any]], authority: Authority | ClientAuthority, scopes: tuple[str, ...], now: int
    ) -> list[dict[str, Any]]:
        """What of a token's details, *said* when it was issued, holds at *now*."""
        found = self.of(authority, scopes, now)
        granted = [(detail.get("once"), reading.detail(detail)) for detail in found.details] if found else []
        return [
            detail
            for detail in said
            if narrowing.covered(
                [reading.detail(detail)], [whole for once, whole in granted if once == detail.get("once")]
            )
        ]


def _make(
    known: Iterable[Resource],
    authority: Authority | ClientAuthority,
    scopes: tuple[str, ...],
    now: int,
    closed: frozenset[str],
) -> ToolDetails | None:
    resource = identified(known, authority.resource)
    if resource is None:
        return None
    permissions = tool_permission.read(authority.tools)
    held = scope.expand(scopes, resource.scopes)
    if permissions is None and isinstance(authority, Authority):
        permissions = tool_permission.unasked(resource, held)
    opened = list(tool_permission.opened(resource, held, permissions, now))
    found = [(name, way) for name, way in opened if name not in closed]
    if not (opened or resource.tools or _has_seen_tools(permissions)):
        return None
    ends = min((way.until for _, way in found if way.until is not None), default=None)
    return ToolDetails(tool_permission.details(resource, found), ends)


def _has_seen_tools(permissions: Permissions | None) -> bool:
    """Whether the person decided when there was a catalogue: what they refused stays closed if it goes."""
    return any(one.seen != UNKNOWN for one in (permissions or {}).values())
