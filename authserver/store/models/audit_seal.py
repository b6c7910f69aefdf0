"""The seals of the audit trail, and how far each stream of it has come."""

from sqlalchemy import BigInteger, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Row, Seconds

STANDING = text("dropped IS NULL")


class SealRow(Row):
    """The seal of one batch: a signed ``statement``, and beside it what is asked for by index.

    The batch ends with the event at ``last_xid`` and ``last_id``. Once retention has dropped its events, ``dropped``
    holds the signed word of that.
    """

    __tablename__ = "audit_seals"
    __table_args__ = (
        Index(None, "last_xid", "last_id", unique=True),
        Index("ix_audit_seals_standing", "number", postgresql_where=STANDING, sqlite_where=STANDING),
    )

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    last_xid: Mapped[int] = mapped_column(BigInteger)
    last_id: Mapped[int] = mapped_column(BigInteger)
    rows: Mapped[int] = mapped_column(BigInteger)
    from_ms: Mapped[int] = mapped_column(BigInteger)
    to_ms: Mapped[int] = mapped_column(BigInteger)
    sealed_at: Mapped[Seconds]
    statement: Mapped[str]
    dropped: Mapped[str | None]


class StreamRow(Row):
    """How far *target* was given the sealed trail, and who delivers to it until when."""

    __tablename__ = "audit_streams"

    target: Mapped[str] = mapped_column(primary_key=True)
    last_xid: Mapped[int] = mapped_column(BigInteger)
    last_id: Mapped[int] = mapped_column(BigInteger)
    holder: Mapped[str | None]
    leased_until: Mapped[Seconds]
    delivered_at: Mapped[Seconds | None]
    failure: Mapped[str | None]
    failed_at: Mapped[Seconds | None]
