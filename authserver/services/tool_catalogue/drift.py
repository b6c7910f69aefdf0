"""Drift: how what a server lists differs from what is saved of it, tool by tool."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum

from ...protocol.resource import Resource
from ...protocol.tool import Claim, Mark
from ...protocol.tool_list import Listed


class Kind(StrEnum):
    """What happened to a tool."""

    ADDED = "added"
    CHANGED = "changed"
    RETURNED = "returned"
    REMOVED = "removed"
    HEARD = "heard"
    """An administrator entered it; the server describes it for the first time."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One tool that differs: the ``members`` that do, what was claimed, and what is claimed now."""

    name: str
    kind: Kind
    members: tuple[str, ...] = ()
    was: Claim | None = None
    now: Claim | None = None


def drifts(resource: Resource, listed: Listed) -> Iterator[Drift]:
    """All tools that differ: those that are saved in their order, then the new ones in the server's."""
    for tool in resource.tools:
        now = listed.claims.get(tool.name)
        if now is None and tool.mark is not Mark.GONE:
            yield Drift(tool.name, Kind.REMOVED, was=tool.claim)
        elif now is not None and tool.mark is Mark.GONE:
            yield Drift(tool.name, Kind.RETURNED, _members(tool.claim, now), tool.claim, now)
        elif now is not None and tool.claim is None:
            yield Drift(tool.name, Kind.HEARD, now=now)
        elif now is not None and tool.claim != now:
            yield Drift(tool.name, Kind.CHANGED, _members(tool.claim, now), tool.claim, now)
    known = {tool.name for tool in resource.tools}
    for name, claim in listed.claims.items():
        if name not in known:
            yield Drift(name, Kind.ADDED, now=claim)


def _members(was: Claim | None, now: Claim) -> tuple[str, ...]:
    """What differs, in words. A change that only a digest tells lies past what is kept and shown."""
    if was is None:
        return ()
    members = [name for name in ("title", "description") if getattr(was, name) != getattr(now, name)]
    if not members and was.words_digest != now.words_digest:
        members = ["words that are not shown"]
    before, after = asdict(was.annotations), asdict(now.annotations)
    members += [f"{name}: {_yes(before[name])} → {_yes(after[name])}" for name in after if before[name] != after[name]]
    return (*members, *(["input schema"] if was.schema_digest != now.schema_digest else []))


def _yes(value: bool) -> str:
    return "yes" if value else "no"
