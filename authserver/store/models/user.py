"""People with an account here."""

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Row, Seconds

OWNERS = text("role = 'owner'")
OF_WEIGHT = text("role <> 'member'")
ENDING = text("ending_since IS NOT NULL")


class UserRow(Row):
    """A person. ``username`` and ``email`` are stored casefolded; ``role`` is a `protocol.role.Role`.

    ``likeness`` is what the eye takes the user name for; None where an older account has one that looks the same.
    ``language`` is the one of pages that they last signed in in, for mail; None until they do. ``ending_since`` is when
    they were disabled, as long as grants of theirs are left to end.
    """

    __tablename__ = "users"
    __table_args__ = (
        Index("ix_users_owners", "id", postgresql_where=OWNERS, sqlite_where=OWNERS),
        Index(None, "created_at"),
        Index("uq_users_email", "email", unique=True),
        Index("uq_users_likeness", "likeness", unique=True),
        Index(None, "ending_since", postgresql_where=ENDING, sqlite_where=ENDING),
        Index("ix_users_of_weight", "id", postgresql_where=OF_WEIGHT, sqlite_where=OF_WEIGHT),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    display_name: Mapped[str]
    password_hash: Mapped[str]
    role: Mapped[str]
    created_at: Mapped[Seconds]
    disabled_at: Mapped[Seconds | None]
    email: Mapped[str | None]
    email_verified_at: Mapped[Seconds | None]
    likeness: Mapped[str | None]
    language: Mapped[str | None]
    ending_since: Mapped[Seconds | None]
