"""Refresh tokens: rotation in families, lost answers, and theft (TK-3, TK-4, TK-5).

Each use of a token replaces it by its *successor*. A client that never got the answer, or a second process of it,
presents the old token again: within the window it gets the same successor, as long as nobody has used that one.
Later, or when the successor lives in other hands, an old token is a sign of theft and ends the family.
"""

from dataclasses import dataclass
from enum import Enum, auto

from .access_token import Authority


@dataclass(frozen=True, slots=True)
class Rotation:
    """A presented token about to be replaced.

    ``sealed_successor`` is the new token, encrypted so that only the holder of the presented one can read it.
    ``resource`` is the one asked for (None: not said). ``lifetime`` is in seconds, within the family's own.
    """

    digest: bytes
    client_id: str
    resource: str | None
    successor_digest: bytes
    sealed_successor: bytes
    lifetime: int


@dataclass(frozen=True, slots=True)
class TokenState:
    """A refresh token as it stands when it could not be rotated.

    ``age`` is the seconds since its rotation by the database's clock (None: not rotated). ``alive`` says whether
    family, grant, person and client still are and the grant still holds a scope of the family's; ``expired`` is about
    the token alone, which does not excuse its reuse. ``sealed_successor`` is None once erased.
    """

    client_id: str
    authority: Authority
    alive: bool
    expired: bool
    age: int | None
    successor_digest: bytes | None
    successor_used: bool
    sealed_successor: bytes | None


class Miss(Enum):
    """Why a token could not be rotated."""

    UNKNOWN = auto()
    WRONG_RESOURCE = auto()
    DONE = auto()
    LOST_ANSWER = auto()
    TOO_LATE_TO_REPEAT = auto()
    REUSED = auto()


def judge(state: TokenState | None, attempt: Rotation, *, window: int) -> Miss:
    """What a failed rotation means (TK-4); *window* is in seconds, 0 allows no repeat.

    `DONE`: this very attempt has rotated it, and only the database's answer was lost. `LOST_ANSWER`: give the same
    successor again. `TOO_LATE_TO_REPEAT`: refuse, revoke nothing. `REUSED`: revoke the family (OAuth 2.1 §4.3.1).
    """
    if state is None or state.client_id != attempt.client_id or not state.alive:
        return Miss.UNKNOWN
    if attempt.resource is not None and attempt.resource != state.authority.resource:
        return Miss.WRONG_RESOURCE
    if state.age is None:
        return Miss.UNKNOWN
    if state.successor_digest == attempt.successor_digest:  # which nobody else can know
        return Miss.DONE
    # Ages are whole seconds, rounded down at both ends: one more than the window may be just within it.
    if window == 0 or state.age > window:
        return Miss.REUSED
    too_late = state.successor_used or state.sealed_successor is None
    return Miss.TOO_LATE_TO_REPEAT if too_late else Miss.LOST_ANSWER
