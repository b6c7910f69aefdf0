"""How long a grant lasts, as the person chooses when they allow something (AZ-8)."""

from dataclasses import dataclass
from enum import StrEnum


class Until(StrEnum):
    """When what is allowed ends by itself."""

    REVOKED = "revoked"
    """Not at all: when somebody ends it."""

    DAYS = "30-days"
    HOURS = "8-hours"
    SESSION = "session"
    """With the browser session in which it was allowed."""

    KEPT = "kept"
    """As the grant on this device has it already; a new one lasts until it is revoked."""


SECONDS = {Until.DAYS: 30 * 86_400, Until.HOURS: 8 * 3_600}


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """A session by the ``digest`` of its secret. Without another request it ends at ``ends_at`` (Unix seconds)."""

    digest: bytes
    ends_at: int


class GrantOver(Exception):
    """The grant whose term a decision keeps has ended: the person has to decide anew."""


class SessionOver(Exception):
    """The session with which a grant is to end has ended: its person has to sign in."""
