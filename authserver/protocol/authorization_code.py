"""Authorization codes: what one is bound to, and what a redemption that got nothing means (AZ-7)."""

from dataclasses import dataclass
from enum import Enum, auto

from .access_token import Authority

REPLAY_WINDOW = 10  # seconds in which a correct repeat is taken for a lost answer, not for theft


@dataclass(frozen=True, slots=True)
class NewCode:
    """A code to be saved: ``digest`` of the secret and all that it is bound to. ``lifetime`` is in seconds.

    ``methods``: how its person had signed in (`amr.Method`).
    """

    digest: bytes
    client_id: str
    redirect_uri: str
    challenge: str
    resource: str
    scopes: tuple[str, ...]
    auth_time: int
    wants_refresh: bool
    lifetime: int
    methods: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Redemption:
    """An attempt to redeem a code. ``redirect_uri`` and ``resource`` are None when left out (OAuth 2.1 §4.1.3).

    ``family_id`` and ``refresh_digest`` name what the winner creates; lifetimes are in seconds.
    """

    digest: bytes
    client_id: str
    redirect_uri: str | None
    challenge: str
    resource: str | None
    family_id: str
    refresh_digest: bytes
    refresh_lifetime: int
    family_lifetime: int


@dataclass(frozen=True, slots=True)
class CodeState:
    """A code as it stands; ``age`` is the seconds since its redemption, by the database's clock (None: unredeemed)."""

    client_id: str
    redirect_uri: str
    challenge: str
    resource: str
    expired: bool
    age: int | None
    family_id: str | None


@dataclass(frozen=True, slots=True)
class Redeemed:
    """What the one successful redemption gives; the refresh token was created only ``with_refresh``."""

    authority: Authority
    with_refresh: bool


class CodeSpent(Exception):
    """A code was to be handed out a second time that has been redeemed, or has ended: another is needed."""


class Miss(Enum):
    """Why a redemption found no code to consume."""

    UNKNOWN = auto()
    WRONG_RESOURCE = auto()
    REPEATED = auto()
    REPLAYED = auto()


def judge(state: CodeState | None, attempt: Redemption) -> Miss:
    """What a failed *attempt* means; only a late repeat by the right client with the right proof is theft (REPLAYED).

    OAuth 2.1 §4.1.3: a replay revokes what the code gave. A repeat with a wrong verifier proves nothing about the
    code's holder, so it must not let a stranger revoke anything.
    """
    if state is None or state.client_id != attempt.client_id:
        return Miss.UNKNOWN
    if state.age is None:
        other_resource = attempt.resource is not None and attempt.resource != state.resource
        return Miss.WRONG_RESOURCE if other_resource and not state.expired else Miss.UNKNOWN
    if state.family_id is None or not _proves(state, attempt):
        return Miss.UNKNOWN
    return Miss.REPEATED if state.age <= REPLAY_WINDOW else Miss.REPLAYED


def _proves(state: CodeState, attempt: Redemption) -> bool:
    same_uri = attempt.redirect_uri is None or attempt.redirect_uri == state.redirect_uri
    return same_uri and attempt.challenge == state.challenge
