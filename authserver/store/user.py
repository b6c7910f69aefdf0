"""A person, as a row tells them."""

from dataclasses import dataclass, field
from typing import Any

from ..protocol.role import Role
from .models import UserRow

PERSON = (
    UserRow.id, UserRow.username, UserRow.display_name, UserRow.role, UserRow.password_hash, UserRow.disabled_at,
    UserRow.email, UserRow.email_verified_at, UserRow.language,
)  # fmt: skip
"""The columns that `user_of` reads."""


@dataclass(frozen=True, slots=True)
class User:
    """A person, disabled or not; ``email_verified_at`` in Unix seconds, None while nobody proved that it is theirs.

    ``language`` is the one of pages that they last signed in in, None until they do.
    """

    id: str
    username: str
    display_name: str
    role: Role
    password_hash: str
    disabled: bool
    email: str | None = None
    email_verified_at: int | None = None
    language: str | None = field(default=None, compare=False)


def user_of(row: Any) -> User:  # noqa: ANN401 - a `UserRow`, or a row of `PERSON`
    """The person of *row*."""
    return User(
        id=row.id,
        username=row.username,
        display_name=row.display_name,
        role=Role(row.role),
        password_hash=row.password_hash,
        disabled=row.disabled_at is not None,
        email=row.email,
        email_verified_at=row.email_verified_at,
        language=row.language,
    )
