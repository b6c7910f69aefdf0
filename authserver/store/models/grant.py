"""Grants, which people see and revoke, and the consents that they remember."""

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Digest, Row, Seconds

LIVE = text("revoked_at IS NULL")
ENDED = text("revoked_at IS NOT NULL")
ENDING = text("revoked_at IS NULL AND ends_at IS NOT NULL")
OF_SESSION = text("session_digest IS NOT NULL")


class GrantRow(Row):
    """What a person lets a client do at a resource, from one device (AZ-14). One that ended goes by `store.forgetting`.

    ``tools`` are decisions about single tools (`protocol.tool_permission`), None where there were none yet. ``ends_at``
    is when it ends by itself, None for one that lasts until it is revoked; ``session_digest`` is the browser session
    with which it ends, whose secret may be renewed.
    """

    __tablename__ = "grants"
    __table_args__ = (
        Index(
            "uq_grants_live", "user_id", "client_id", "device_digest", "redirect_host", "resource",
            unique=True, postgresql_where=LIVE, sqlite_where=LIVE,
        ),
        Index(None, "user_id", "client_id"),
        Index(None, "client_id", "created_at"),
        Index(None, "resource"),
        Index(None, "created_at"),
        # Whoever ends or counts those that live does not read all that ended before.
        Index("ix_grants_live_client_id", "client_id", postgresql_where=LIVE, sqlite_where=LIVE),
        Index("ix_grants_live_resource", "resource", postgresql_where=LIVE, sqlite_where=LIVE),
        Index(None, "revoked_at", postgresql_where=ENDED, sqlite_where=ENDED),
        Index(None, "ends_at", postgresql_where=ENDING, sqlite_where=ENDING),
        Index(None, "session_digest", postgresql_where=OF_SESSION, sqlite_where=OF_SESSION),
        Index(None, "device_digest", postgresql_where=OF_SESSION, sqlite_where=OF_SESSION),
    )  # fmt: skip

    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    client_id: Mapped[str] = mapped_column(ForeignKey("clients.client_id"))
    device_digest: Mapped[Digest]
    redirect_host: Mapped[str]
    resource: Mapped[str]
    scopes: Mapped[tuple[str, ...]]
    tools: Mapped[str | None]
    created_at: Mapped[Seconds]
    updated_at: Mapped[Seconds]
    revoked_at: Mapped[Seconds | None]
    ends_at: Mapped[Seconds | None]
    session_digest: Mapped[Digest | None] = mapped_column(
        ForeignKey("sessions.digest", onupdate="CASCADE", ondelete="SET NULL")
    )


class ConsentRow(Row):
    """What a person has said yes to, whatever the device (AZ-9), and what the client was like then (AZ-8)."""

    __tablename__ = "consents"
    __table_args__ = (Index(None, "client_id"),)

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("clients.client_id"), primary_key=True)
    redirect_host: Mapped[str] = mapped_column(primary_key=True)
    resource: Mapped[str] = mapped_column(primary_key=True)
    scopes: Mapped[tuple[str, ...]]
    tools: Mapped[str | None]
    decided_at: Mapped[Seconds]
    client_name: Mapped[str]
    client_identity: Mapped[Digest]
