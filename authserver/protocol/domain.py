"""Which domains clients may come from: an administrator's decisions, and the most specific one counts (CR-10)."""

from collections.abc import Mapping
from enum import StrEnum


class Decision(StrEnum):
    """What is done with a client whose metadata document lies in a domain."""

    ALLOW = "allow"
    """It is vouched for: people see it as verified."""
    ASK = "ask"
    """It waits for an administrator's approval."""
    DENY = "deny"
    """It is refused."""


def decision_about(host: str, decisions: Mapping[str, Decision]) -> Decision | None:
    """The decision for *host* or for the nearest domain above it; None if there is none."""
    labels = host.lower().split(".")
    for start in range(len(labels)):
        found = decisions.get(".".join(labels[start:]))
        if found is not None:
            return found
    return None
