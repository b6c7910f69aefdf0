"""What a person lets a client do with each tool, and what a token says of it (RFC 9396, EX-7).

A *permission* is about one tool as the person saw it; its *ways* are alternatives, each with limits, an end or a
single use of its own, and no way at all is a no. A tool that is new, or that its server describes in another way by
now, is not covered until somebody agreed to it: an administrator for all, or this person for themselves.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any

from mcp_token_guard.limits import reading

from .credential import base64url
from .resource import Resource
from .tool import Mark, Tool
from .way import Way, canonical

FINGERPRINT_BYTES = 12
UNKNOWN = "unknown"
"""In place of a fingerprint, of a tool that the catalogue does not have."""


@dataclass(frozen=True, slots=True)
class Permission:
    """A person's decision about one tool: ``seen`` is the fingerprint of what the page showed of it."""

    seen: str
    ways: tuple[Way, ...] = ()


Permissions = Mapping[str, Permission]
"""Decisions by the tool's name."""


@lru_cache(maxsize=4096)
def fingerprint(tool: Tool) -> str:
    """What of *tool* a decision rests on: its words, its hints and its arguments, as its server has them."""
    claim = tool.claim
    said = (
        [tool.title, tool.description, tool.risk]
        if claim is None
        else [claim.words_digest, claim.schema_digest, *(getattr(claim.annotations, name) for name in HINTS)]
    )
    digest = hashlib.sha256(json.dumps(said).encode()).digest()
    return base64url(digest[:FINGERPRINT_BYTES])


HINTS = ("read_only", "destructive", "idempotent", "open_world")


def agreed(tool: Tool, permission: Permission) -> bool:
    """Whether somebody agreed to *tool* as it is now."""
    if tool.mark is Mark.GONE:
        return False
    return tool.mark is Mark.AGREED or permission.seen == fingerprint(tool)


def opened(
    resource: Resource, scopes: Iterable[str], permissions: Permissions | None, now: int
) -> Iterator[tuple[str, Way]]:
    """The tools that *scopes* and *permissions* open at *now* (Unix seconds), each with every way there is.

    Without permissions, for a client for itself, these are the tools that an administrator has agreed to.
    """
    held = frozenset(scopes)
    for tool in resource.tools:
        if held.issuperset(tool.scopes):
            for way in _ways(tool, permissions, now):
                yield tool.name, way
    known = {tool.name for tool in resource.tools if tool.mark is not Mark.GONE}
    for name, permission in (permissions or {}).items():
        if name not in known and permission.seen == UNKNOWN:
            for way in permission.ways:
                if not way.has_ended(now):
                    yield name, way


def _ways(tool: Tool, permissions: Permissions | None, now: int) -> Iterator[Way]:
    policy = tool.policy
    if permissions is None:
        if tool.mark is Mark.AGREED:
            yield policy
        return
    permission = permissions.get(tool.name)
    if permission is None or not agreed(tool, permission):
        return
    for way in permission.ways:
        if way.has_ended(now):
            continue
        if way.limits is None:
            yield replace(policy, until=way.until, once=way.once)
        elif way.no_wider(policy):
            yield way


def details(resource: Resource, found: Iterable[tuple[str, Way]]) -> list[dict[str, Any]]:
    """*found*, from `opened`, as ``authorization_details``: tools that may be called in the same way share one."""
    tools: dict[Way, list[str]] = {}
    for name, way in found:
        # When a way ends says the token's own end.
        tools.setdefault(Way(way.limits, way.additional, None, way.once), []).append(name)
    return [
        way.detail(resource.identifier, names[start : start + reading.MOST_TOOLS])
        for way, names in tools.items()
        for start in range(0, len(names), reading.MOST_TOOLS)
    ]


def unasked(resource: Resource, scopes: Iterable[str]) -> dict[str, Permission]:
    """What a grant of *scopes* stands for that was given before the tools of *resource* were known.

    These are the tools with which its catalogue began, and no later one: nobody was asked about those.
    """
    held = frozenset(scopes)
    began = min((tool.first_seen or 0 for tool in resource.tools), default=0)
    return {
        tool.name: Permission(fingerprint(tool), (Way(),))
        for tool in resource.tools
        if held.issuperset(tool.scopes) and tool.mark is Mark.AGREED and (tool.first_seen or 0) <= began
    }


def joined(before: Permissions | None, after: Permissions, minted: Collection[str] = ()) -> dict[str, Permission]:
    """*before* with the decisions *after* in the place of earlier ones about the same tools.

    Of single uses those stay that are still there, and those that were *minted* for this decision: one that was used
    up since the person looked does not come back.
    """
    found = dict(before or {})
    for name, permission in after.items():
        there = found[name].ways if name in found else ()
        kept = tuple(way for way in permission.ways if way.once is None or way.once in minted or way in there)
        found[name] = replace(permission, ways=kept)
    return found


def remembered(before: Permissions | None, after: Permissions, *, lasts: bool = True) -> dict[str, Permission]:
    """What is remembered for other devices when *after* was decided: neither single uses nor what ends by itself.

    Where nothing of a decision lasts, nothing is remembered: the other devices are asked. *lasts*: whether the grant
    itself does; where it does not, a no is remembered alone.
    """
    kept = {name: one for name, one in (before or {}).items() if name not in after}
    for name, one in after.items():
        ways = tuple(way for way in one.ways if way.lasting and lasts)
        if ways or not one.ways:
            kept[name] = Permission(one.seen, ways)
    return kept


def narrows(before: Permissions | None, after: Permissions) -> bool:
    """Whether *after* lacks a way that *before* had: tokens that are out say too much then.

    Before there were permissions, tokens said nothing of tools, so all of them say too much.
    """
    if before is None:
        return True
    return any(way not in after.get(name, Permission("")).ways for name, one in before.items() for way in one.ways)


def used(permissions: Permissions, tool: str, once: str) -> dict[str, Permission] | None:
    """*permissions* without the single use *once* of *tool*; None if there is none of that name."""
    permission = permissions.get(tool)
    left = tuple(way for way in permission.ways if way.once != once) if permission else ()
    if permission is None or len(left) == len(permission.ways):
        return None
    return {**permissions, tool: Permission(permission.seen, left)}


def written(permissions: Permissions) -> str:
    """*permissions* as JSON text, as they are kept."""
    return canonical({name: [one.seen, *(_members(way) for way in one.ways)] for name, one in permissions.items()})


@lru_cache(maxsize=4096)
def read(text: str | None) -> Permissions | None:
    """The permissions that `written` wrote; None for what is older than them."""
    if text is None:
        return None
    return {
        name: Permission(seen, tuple(Way(**way) for way in ways)) for name, (seen, *ways) in json.loads(text).items()
    }


def _members(way: Way) -> dict[str, Any]:
    return {name: value for name, value in asdict(way).items() if value not in (None, False)}
