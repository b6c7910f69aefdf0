"""How people sign in, and for how long."""

from typing import Annotated, Literal

from pydantic import Field

from .group import DAY, Group, Seconds

SecondFactor = Literal["off", "optional", "admins", "all"]


class People(Group):
    """Sessions, and what slows down whoever guesses passwords."""

    session_lifetime: Seconds = 30 * DAY
    """Seconds after which a person signs in again."""

    session_idle: Seconds = 7 * DAY
    """Seconds without a request after which a session ends."""

    fresh_sign_in: Annotated[int, Field(ge=30, le=DAY)] = 600
    """Seconds after a sign-in in which the console does dangerous acts, and people allow what can destroy, without
    signing in again."""

    second_factor: SecondFactor = "optional"
    """Passkeys, and codes of authenticator apps beside a password: ``off``; ``optional``, for whoever adds one, who is
    asked for it from then on; ``admins``, needed for any role but member; or ``all``, needed to do anything here."""

    pending_grant_lifetime: Annotated[int, Field(ge=60, le=90 * DAY)] = 7 * DAY
    """Seconds for which a request waits that a rule has an administrator decide on, and for which their no stands."""

    sign_ins_per_address: str = "60 per minute"
    """Ceiling of sign-in attempts from one address; wrong passwords are slowed down long before it."""

    failed_sign_in_delay: Annotated[float, Field(ge=0, le=60)] = 1.0
    """Seconds that the second failed sign-in in a row costs; each further failure doubles it, up to 15 minutes."""

    password_hash_slots: Annotated[int, Field(ge=1, le=64)] = 1
    """Password hashes that one worker computes at once; a sign-in that finds no slot in time is asked to retry."""
