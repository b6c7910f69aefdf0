"""How what a client says of itself has changed: from its versions, what each changed, in words."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ..store.client_versions import ClientVersion


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
