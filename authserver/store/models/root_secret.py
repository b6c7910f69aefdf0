"""Root secrets, wrapped."""

from sqlalchemy.orm import Mapped, mapped_column

from .base import Row, Seconds


class RootSecretRow(Row):
    """What a deployment seals under and derives from, wrapped by the key-encryption key that ``kek`` names."""

    __tablename__ = "root_secrets"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    wrapped: Mapped[bytes]
    kek: Mapped[str]
    created_at: Mapped[Seconds]
