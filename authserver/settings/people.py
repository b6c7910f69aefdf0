"""How people sign in, and for how long."""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from .group import DAY, Group, Seconds
from .rate import Ceiling

BREACHED = re.compile(rb"[0-9A-Fa-f]{40}(?::\d+)?\r?\n")
SecondFactor = Literal["off", "optional", "admins", "all"]


class People(Group):
    """Sessions, and what slows down whoever guesses passwords."""

    session_lifetime: Seconds = 30 * DAY
    """Seconds after which a person signs in again."""

    session_idle: Seconds = 7 * DAY
    """Seconds without a request after which a session ends."""

    remember_me: Annotated[int, Field(ge=0, le=400 * DAY)] = 30 * DAY
    """Seconds for which a browser stays signed in after a sign-in where its person ticked that, though it was closed or
    its session ended by itself; 0 takes the tick away."""

    invitation_lifetime: Annotated[int, Field(ge=3600, le=90 * DAY)] = 7 * DAY
    """Seconds in which an invitation is accepted."""

    account_link_lifetime: Annotated[int, Field(ge=300, le=DAY)] = 3600
    """Seconds for which a mailed link sets a new password, or confirms a mail address."""

    fresh_sign_in: Annotated[int, Field(ge=30, le=DAY)] = 600
    """Seconds after a sign-in in which the console does dangerous acts, and people allow what can destroy, without
    signing in again."""

    second_factor: SecondFactor = "optional"
    """Passkeys, and codes of authenticator apps beside a password: ``off``; ``optional``, for whoever adds one, who is
    asked for it from then on; ``admins``, needed for any role but member; or ``all``, needed to do anything here."""

    pending_grant_lifetime: Annotated[int, Field(ge=60, le=90 * DAY)] = 7 * DAY
    """Seconds for which a request waits that a rule has an administrator decide on, and for which their no stands."""

    sign_ins_per_address: Ceiling = "60 per minute"
    """Ceiling of sign-in attempts from one address; wrong passwords are slowed down long before it."""

    failed_sign_in_delay: Annotated[float, Field(ge=0, le=60)] = 1.0
    """Seconds that the second failed sign-in in a row costs; each further failure doubles it, up to 15 minutes."""

    breached_passwords_file: str = ""
    """File of passwords that were in breaches, as Have I Been Pwned gives it to download: their SHA-1 in hexadecimal,
    sorted, one to a line. New passwords are looked up there; nothing is asked elsewhere. Empty means that only the list
    of common ones that comes along is looked into."""

    password_hash_slots: Annotated[int, Field(ge=1, le=64)] = 1
    """Password hashes that one worker computes at once; a sign-in that finds no slot in time is asked to retry."""

    @field_validator("breached_passwords_file")
    @classmethod
    def _breached_passwords_can_be_looked_up(cls, path: str) -> str:
        if path and not _begins_with(path, BREACHED):
            raise ValueError("the file cannot be read, or does not begin with a SHA-1 in hexadecimal on a line")
        return path


def _begins_with(path: str, line: re.Pattern[bytes]) -> bool:
    try:
        with Path(path).open("rb") as file:
            return line.fullmatch(file.readline(80)) is not None
    except OSError:
        return False
