"""Calls that a guard refused for their arguments, and that the person may be asked about."""

from typing import Any

from sqlalchemy import JSON, Index
from sqlalchemy.orm import Mapped, mapped_column

from .base import Row, Seconds


class LimitChallengeRow(Row):
    """What a person may be asked: whether the client of a grant may call ``tool`` in this ``way`` too."""

    __tablename__ = "limit_challenges"
    __table_args__ = (Index(None, "grant_id"), Index(None, "expires_at"))

    id: Mapped[str] = mapped_column(primary_key=True)
    grant_id: Mapped[str]
    tool: Mapped[str]
    way: Mapped[dict[str, Any]] = mapped_column(JSON)
    expires_at: Mapped[Seconds]
