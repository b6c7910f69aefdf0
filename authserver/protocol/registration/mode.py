"""Who may register a client by itself."""

from enum import StrEnum


class RegistrationMode(StrEnum):
    """How a deployment takes dynamic registrations (CR-2)."""

    OPEN = "open"
    TOKEN = "token"  # noqa: S105 - a mode's name
    APPROVAL = "approval"
    CLOSED = "closed"
