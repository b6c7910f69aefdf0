"""People with an account here."""

from sqlalchemy.orm import Mapped, mapped_column

from .base import Row, Seconds


class UserRow(Row):
    """A person. ``username`` is stored casefolded; ``role`` is ``user`` or ``admin``."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    display_name: Mapped[str]
    password_hash: Mapped[str]
    role: Mapped[str]
    created_at: Mapped[Seconds]
    disabled_at: Mapped[Seconds | None]
