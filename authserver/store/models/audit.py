"""The audit trail."""

from typing import Any

from sqlalchemy import JSON, BigInteger, FetchedValue, Identity, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from .base import Row


class AuditRow(Row):
    """An event, never changed once written: triggers refuse it. ``at_ms`` is in Unix milliseconds.

    ``xid`` is the transaction that wrote it, which PostgreSQL fills in; it is 0 for all of SQLite's, which has one
    writer at a time, and for events older than the column.
    """

    __tablename__ = "audit_events"
    # None by grant: the events of one are found among its person's.
    __table_args__ = tuple(Index(None, column, "id") for column in ("user_id", "client_id", "name", "xid"))

    # SQLite numbers rows by itself only where the key is declared INTEGER.
    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), Identity(), primary_key=True)
    at_ms: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str]
    actor: Mapped[str]
    user_id: Mapped[str | None]
    client_id: Mapped[str | None]
    resource: Mapped[str | None]
    grant_id: Mapped[str | None]
    outcome: Mapped[str]
    address: Mapped[str]
    correlation_id: Mapped[str]
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
    xid: Mapped[int] = mapped_column(BigInteger, server_default=FetchedValue())
