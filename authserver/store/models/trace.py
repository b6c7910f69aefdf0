"""Flow traces: attempts to connect, and the steps of each."""

from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Row

FAILED = text("verdict = 'failed'")
NOBODYS = text("user_id IS NULL")


class TraceRow(Row):
    """An attempt, found by its reference; ``step``, ``verdict`` and ``cause`` are its last. Times in milliseconds."""

    __tablename__ = "traces"
    __table_args__ = (
        Index(None, "last_ms", "id"),
        Index("ix_traces_failed", "last_ms", "id", postgresql_where=FAILED, sqlite_where=FAILED),
        Index("ix_traces_nobodys", "last_ms", "id", postgresql_where=NOBODYS, sqlite_where=NOBODYS),
        *(Index(None, name, "last_ms", "id") for name in ("client_id", "user_id", "address")),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    client_id: Mapped[str | None]
    user_id: Mapped[str | None]
    grant_id: Mapped[str | None]
    resource: Mapped[str | None]
    address: Mapped[str]
    agent: Mapped[str]
    started_ms: Mapped[int] = mapped_column(BigInteger)
    last_ms: Mapped[int] = mapped_column(BigInteger)
    step: Mapped[str]
    verdict: Mapped[str]
    cause: Mapped[str]


class TraceStepRow(Row):
    """What a step came to, once however often it did: ``times``, from ``first_ms`` to ``last_ms``."""

    __tablename__ = "trace_steps"
    __table_args__ = (Index(None, "correlation_id"),)

    trace_id: Mapped[str] = mapped_column(ForeignKey("traces.id", ondelete="CASCADE"), primary_key=True)
    step: Mapped[str] = mapped_column(primary_key=True)
    cause: Mapped[str] = mapped_column(primary_key=True)
    times: Mapped[int] = mapped_column(BigInteger)
    first_ms: Mapped[int] = mapped_column(BigInteger)
    last_ms: Mapped[int] = mapped_column(BigInteger)
    address: Mapped[str]
    agent: Mapped[str]
    correlation_id: Mapped[str]
    about: Mapped[dict[str, Any]] = mapped_column(JSON)
