"""Which domains clients may come from: an administrator's decisions, and the most specific one counts (CR-10)."""

import re
from collections.abc import Mapping
from enum import StrEnum

from .msg import msg

DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
LONGEST = 253  # RFC 1035 §2.3.4


class Decision(StrEnum):
    """What is done with a client whose metadata document lies in a domain."""

    ALLOW = msg("allow")
    """It is vouched for: people see it as verified."""
    ASK = msg("ask")
    """It waits for an administrator's approval."""
    DENY = msg("deny")
    """It is refused."""


def decision_about(host: str, decisions: Mapping[str, Decision]) -> Decision | None:
    """The decision for *host* or for the nearest domain above it; None if there is none."""
    labels = host.lower().split(".")
    for start in range(len(labels)):
        found = decisions.get(".".join(labels[start:]))
        if found is not None:
            return found
    return None


def domain_of(text: str) -> str | None:
    """The domain that *text* writes, in ASCII (RFC 5890 §2.3.2.1) and lower case; None if it is none."""
    try:
        found = text.strip().encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None
    return found if len(found) <= LONGEST and DOMAIN.fullmatch(found) else None
