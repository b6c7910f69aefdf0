"""One step as it is recorded."""

from dataclasses import dataclass, field

from ..audit import Origin
from .step import Cause, Step


@dataclass(frozen=True, slots=True)
class Record:
    """That ``step`` of the attempt ``reference`` came to ``cause``.

    ``about`` are a few words by name; nothing in it is a secret, and whoever reads it may be shown all of it.
    """

    reference: str
    step: Step
    cause: Cause
    origin: Origin
    client_id: str | None = None
    user_id: str | None = None
    grant_id: str | None = None
    resource: str | None = None
    about: dict[str, str] = field(default_factory=dict)
