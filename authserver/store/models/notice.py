"""Notices on their way to people, and what the rules of alerts remember."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Identity, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Row, Seconds

WAITING = text("try_at IS NOT NULL")


class NoticeRow(Row):
    """Something to be told, until it is put into a message with others of its ``topic``."""

    __tablename__ = "notices"
    __table_args__ = (Index(None, "topic", "id"), Index(None, "created_at"))

    # SQLite numbers rows by itself only where the key is declared INTEGER.
    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), Identity(), primary_key=True)
    topic: Mapped[str]
    about: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[Seconds]


class NoticeMessageRow(Row):
    """A message to one ``target``; ``try_at`` is when it is sent next, None when it was taken or given up."""

    __tablename__ = "notice_messages"
    __table_args__ = (
        Index("ix_notice_messages_waiting", "target", "try_at", postgresql_where=WAITING, sqlite_where=WAITING),
        Index(None, "topic", "created_at"),
        Index(None, "created_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    target: Mapped[str]
    topic: Mapped[str]
    told: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[Seconds]
    tries: Mapped[int]
    try_at: Mapped[Seconds | None]
    delivered_at: Mapped[Seconds | None]
    failure: Mapped[str | None]


class FailureCountRow(Row):
    """How many sign-ins failed in a ``minute`` (since the epoch), of a person or from a source."""

    __tablename__ = "failure_counts"
    __table_args__ = (Index(None, "minute"),)

    subject: Mapped[str] = mapped_column(primary_key=True)
    minute: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    failures: Mapped[int]


class GrantNetworkRow(Row):
    """A ``network`` that refreshes of a grant came from, and when one did last."""

    __tablename__ = "grant_networks"
    __table_args__ = (Index(None, "seen_at"),)

    grant_id: Mapped[str] = mapped_column(primary_key=True)
    network: Mapped[str] = mapped_column(primary_key=True)
    seen_at: Mapped[Seconds]
