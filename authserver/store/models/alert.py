"""Alerts: what looked unusual, told once."""

from typing import Any

from sqlalchemy import JSON, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Row, Seconds

STANDING = text("dismissed_at IS NULL")


class AlertRow(Row):
    """Something unusual. ``id`` is made of what it is about, so that it is told once."""

    __tablename__ = "alerts"
    __table_args__ = (
        Index("ix_alerts_standing", "raised_at", "id", postgresql_where=STANDING, sqlite_where=STANDING),
        Index("ix_alerts_standing_kind", "kind", "raised_at", postgresql_where=STANDING, sqlite_where=STANDING),
        Index(None, "user_id"),
        Index(None, "raised_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    resource: Mapped[str]
    client_id: Mapped[str | None]
    user_id: Mapped[str | None]
    tool: Mapped[str | None]
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
    raised_at: Mapped[Seconds]
    dismissed_at: Mapped[Seconds | None]
