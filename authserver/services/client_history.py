"""How a client came, and how what it says of itself has changed: from its versions, what each changed, in words."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ..protocol.client import Client, ClientKind
from ..store.audit import AuditListing, AuditStore
from ..store.client_versions import ClientVersion

ARRIVALS = frozenset({"client.registered", "client.discovered", "client.added"})
AT_ONCE = 60  # seconds between a client's making and the word of it in the trail, at most


@dataclass(frozen=True, slots=True)
class Difference:
    """One member that changed: what went, what came, each part in plain text."""

    name: str
    gone: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Revision:
    """A change: when (Unix seconds), by which event and whom, and what."""

    at: int
    event: str
    actor: str
    differences: tuple[Difference, ...]


def arrival(trail: AuditStore, client: Client) -> AuditListing | None:
    """The event by which it came, if that is still kept and none of a former client of the same id."""
    first = trail.first_of_client(client.client_id)
    if first is None or first.event.name not in ARRIVALS:
        return None
    is_former = client.kind is not ClientKind.DYNAMIC and first.at_ms < (client.created_at - AT_ONCE) * 1000
    return None if is_former else first


def revisions(versions: Sequence[ClientVersion]) -> tuple[Revision, ...]:
    """The changes from version to version; *versions* and changes the newest first."""
    return tuple(
        Revision(later.at, later.event, later.actor, tuple(_differences(earlier.says, later.says)))
        for later, earlier in pairwise(versions)
    )


def _differences(before: dict[str, Any], after: dict[str, Any]) -> Iterator[Difference]:
    for name in dict.fromkeys((*before, *after)):
        old, new = _parts(before.get(name)), _parts(after.get(name))
        if old != new:
            yield Difference(
                name, tuple(part for part in old if part not in new), tuple(part for part in new if part not in old)
            )


def _parts(value: object) -> tuple[str, ...]:
    """What of *value* can come and go by itself."""
    if value is None or value == "":
        return ()
    if isinstance(value, list):
        return tuple(map(_text, value))
    return (_text(value),)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
