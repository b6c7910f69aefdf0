"""Receipts of tool calls, and the two sums that are kept of them."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Float, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Row

REFUSED = text("refused")


class ToolReceiptRow(Row):
    """A call, in the words of the guard of ``resource``. ``at_ms`` is in Unix milliseconds.

    ``key`` is a digest of the resource and the guard's own ``id``. ``grant_id`` and ``user_id`` are there where the
    grant behind ``family_id`` is one for this resource, subject and client; what is under them is nobody's mere word.
    """

    __tablename__ = "tool_receipts"
    __table_args__ = (
        Index(None, "at_ms", "key"),
        Index(None, "grant_id", "at_ms", "key"),
        Index(None, "user_id", "at_ms", "key"),
        Index(None, "client_id", "at_ms", "key"),
        Index(None, "resource", "at_ms", "key"),
        Index(None, "tool", "at_ms", "key"),
        Index("ix_tool_receipts_refused", "client_id", "at_ms", postgresql_where=REFUSED, sqlite_where=REFUSED),
    )

    key: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str]
    resource: Mapped[str]
    at_ms: Mapped[int] = mapped_column(BigInteger)
    subject: Mapped[str]
    client_id: Mapped[str]
    family_id: Mapped[str | None]
    grant_id: Mapped[str | None]
    user_id: Mapped[str | None]
    tool: Mapped[str]
    arguments: Mapped[dict[str, Any]] = mapped_column(JSON)
    outcome: Mapped[str]
    refused: Mapped[bool]
    status: Mapped[int | None]
    duration_ms: Mapped[float] = mapped_column(Float(53))
    correlation_id: Mapped[str]
    trace_id: Mapped[str | None]
    span_id: Mapped[str | None]


class ToolUseRow(Row):
    """What a grant was used for: how often each tool was called under it, and when last (Unix milliseconds)."""

    __tablename__ = "tool_uses"
    __table_args__ = (Index(None, "last_ms"),)

    grant_id: Mapped[str] = mapped_column(primary_key=True)
    tool: Mapped[str] = mapped_column(primary_key=True)
    calls: Mapped[int] = mapped_column(BigInteger)
    refused: Mapped[int] = mapped_column(BigInteger)
    last_ms: Mapped[int] = mapped_column(BigInteger)


class ToolHourRow(Row):
    """How often a tool of a resource was called in an ``hour``, numbered from the epoch."""

    __tablename__ = "tool_hours"
    __table_args__ = (Index(None, "hour"),)

    resource: Mapped[str] = mapped_column(primary_key=True)
    tool: Mapped[str] = mapped_column(primary_key=True)
    hour: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    calls: Mapped[int] = mapped_column(BigInteger)
    refused: Mapped[int] = mapped_column(BigInteger)
