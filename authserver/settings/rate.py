"""So many per so long, as ceilings are written in settings: ``600 per minute``, ``5/second``, ``20 per 10 minutes``."""

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator

UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
WRITTEN = re.compile(r"\s*([0-9]{1,9})\s*(?:per|/)\s*(?:([0-9]{1,4})\s+)?(second|minute|hour|day)s?\s*", re.IGNORECASE)
OFF = ("", "0")


@dataclass(frozen=True, slots=True)
class Rate:
    """``amount`` in every ``seconds``."""

    amount: int
    seconds: int

    @classmethod
    def of(cls, text: str) -> "Rate | None":
        """Read *text*; None if it says that there is no ceiling: nothing, or none. Raises ValueError."""
        if text.strip() in OFF:
            return None
        found = WRITTEN.fullmatch(text)
        if found is None:
            raise ValueError("must be like '600 per minute', of seconds, minutes, hours or days; '0' means no ceiling")
        amount, seconds = int(found[1]), int(found[2] or 1) * UNITS[found[3].lower()]
        return cls(amount, seconds) if amount and seconds else None


def _readable(text: str) -> str:
    Rate.of(text)
    return text


Ceiling = Annotated[str, AfterValidator(_readable)]
"""A setting that is read by `Rate.of`."""
