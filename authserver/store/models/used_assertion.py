"""Client assertions that were used, so that none is used twice (CR-12)."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from .base import Digest, Row, Seconds


class UsedAssertionRow(Row):
    """The digest of a client's id and an assertion's ``jti``, kept until the assertion would have expired anyway."""

    __tablename__ = "used_assertions"
    __table_args__ = (Index(None, "expires_at"),)

    digest: Mapped[Digest] = mapped_column(primary_key=True)
    expires_at: Mapped[Seconds]
