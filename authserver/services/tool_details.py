"""What a token says of tools: made of scopes, of the person's decisions, and of the catalogue as it is now (EX-7)."""

from dataclasses import dataclass
from typing import Any

from mcp_token_guard.limits import narrowing, reading

from ..protocol import scope, tool_permission
from ..protocol.access_token import Authority, ClientAuthority
from ..protocol.ports import Resources
from ..protocol.resource import Resource

MOST_KEPT = 4096
Key = tuple[str, tuple[str, ...], str | None]


@dataclass(frozen=True, slots=True)
class ToolDetails:
    """``details`` for the claim ``authorization_details``; ``ends`` (Unix seconds) when the first of them does."""

    details: list[dict[str, Any]]
    ends: int | None


class ToolDetailing:
    """Tells the details of tokens. What was worked out is kept until a server changes or a permission ends."""

    def __init__(self, resources: Resources) -> None:
        """*resources* with their catalogues."""
        self._resources = resources
        self._known: object = None
        self._kept: dict[Key, ToolDetails | None] = {}

    def of(self, authority: Authority | ClientAuthority, scopes: tuple[str, ...], now: int) -> ToolDetails | None:
        """The details of a token with *scopes*; None for a server whose tools are not known: scopes alone count."""
        known = self._resources.all()
        if known is not self._known or len(self._kept) >= MOST_KEPT:
            self._known, self._kept = known, {}
        key = (authority.resource, scopes, authority.tools)
        found = self._kept.get(key)
        if key not in self._kept or (found and found.ends is not None and found.ends <= now):
            found = self._kept[key] = self._make(authority, scopes, now)
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

    def _make(self, authority: Authority | ClientAuthority, scopes: tuple[str, ...], now: int) -> ToolDetails | None:
        resource = self._find(authority.resource)
        permissions = tool_permission.read(authority.tools)
        if resource is None or not (resource.tools or permissions):
            return None
        held = scope.expand(scopes, resource.scopes)
        if permissions is None and isinstance(authority, Authority):
            permissions = tool_permission.unasked(resource, held)
        found = list(tool_permission.opened(resource, held, permissions, now))
        ends = min((way.until for _, way in found if way.until is not None), default=None)
        return ToolDetails(tool_permission.details(resource, found), ends)

    def _find(self, identifier: str) -> Resource | None:
        return next((one for one in self._resources.all() if one.identifier == identifier), None)
