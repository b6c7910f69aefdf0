"""Where a key is in its life."""

from enum import StrEnum

from ..protocol.msg import msg
from .ports import Purpose, StoredKey


class State(StrEnum):
    """What a key does at some moment."""

    STANDBY = msg("standby")
    SIGNING = msg("signing")
    RETIRED = msg("retired")
    WITHDRAWN = msg("withdrawn")


def rotates_at(key: StoredKey, every: int) -> int | None:
    """When *key* is to be rotated by itself (Unix seconds), if keys are *every* so many seconds; None if it is not."""
    return key.signs_from + every if every and key.signs_from is not None and key.signs_until is None else None


def state(key: StoredKey, now: int) -> State:
    """What *key* does at *now* (Unix seconds). One of the trail vouches for its seals for ever, unless withdrawn."""
    gone = key.published_until is not None and key.published_until <= now
    if key.withdrawn_at is not None or (gone and key.purpose != Purpose.AUDIT):
        return State.WITHDRAWN
    if key.signs_until is not None and key.signs_until <= now:
        return State.RETIRED
    return State.SIGNING if key.signs_from is not None and key.signs_from <= now else State.STANDBY
