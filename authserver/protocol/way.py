"""In which way a tool may be called: with what arguments, until when, how often (RFC 9396, docs/limits.md)."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mcp_token_guard.limits import narrowing, reading, writing


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which a tool may be called.

    ``limits`` are the rules on its arguments as canonical JSON (docs/limits.md), None for any arguments;
    ``until`` is in Unix seconds; ``once`` names the permission for a single call.
    """

    limits: str | None = None
    additional: bool = False
    until: int | None = None
    once: str | None = None

    @classmethod
    def within(cls, detail: Mapping[str, Any]) -> "Way":
        """The way that *detail*, an ``mcp_tool`` detail, leaves open. Raises `ValueError` for what is none."""
        written = writing.detail(reading.detail(dict(detail)))
        limits = canonical(written["limits"]) if "limits" in written else None
        return cls(limits, written.get("additional") == "allow")

    @classmethod
    def limited(cls, limits: Mapping[str, Any], *, additional: bool = False) -> "Way":
        """The way that *limits* leave, rules by argument as in a detail. Raises `ValueError`."""
        members = {"limits": dict(limits), **({"additional": "allow"} if additional else {})}
        return cls.within({"type": reading.TYPE, "locations": ["resource:"], "tools": ["tool"], **members})

    @property
    def lasting(self) -> bool:
        """Whether it ends only with the grant."""
        return self.until is None and self.once is None

    def has_ended(self, now: int) -> bool:
        """Whether its end is past at *now* (Unix seconds)."""
        return self.until is not None and self.until <= now

    def detail(self, resource: str, tools: Iterable[str]) -> dict[str, Any]:
        """The element of ``authorization_details`` that lets *tools* of *resource* be called in this way."""
        found: dict[str, Any] = {"type": reading.TYPE, "locations": [resource], "tools": sorted(tools)}
        if self.limits is not None:
            found["limits"] = json.loads(self.limits)
        if self.additional:
            found["additional"] = "allow"
        if self.once is not None:
            found["once"] = self.once
        return found

    def no_wider(self, other: "Way") -> bool:
        """Whether every call that this way's limits let through, *other*'s do too."""
        if other.limits is None:
            return True
        mine, theirs = (reading.detail(way._limits_only()) for way in (self, other))
        return narrowing.narrower(mine, theirs)

    def _limits_only(self) -> dict[str, Any]:
        return Way(self.limits, self.additional).detail("resource:", ("tool",))


ANY_WAY = Way()
"""With any arguments, as often as one likes."""


def canonical(value: object) -> str:
    """*value* as JSON in one form."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
