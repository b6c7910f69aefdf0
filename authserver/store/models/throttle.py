"""Failures in a row, by whatever is to be slowed down."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from .base import Row, Seconds


class ThrottleRow(Row):
    """How often *key* (an account, an address) failed in a row, and until when it has to wait."""

    __tablename__ = "throttles"
    __table_args__ = (Index(None, "last_failed_at"),)

    key: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int]
    last_failed_at: Mapped[Seconds]
    blocked_until: Mapped[Seconds]
