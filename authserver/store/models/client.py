"""Registered clients."""

from typing import Any

from sqlalchemy import JSON, Index, false, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Digest, Row, Seconds

SUSPENDED = text("suspended_at IS NOT NULL")
WAITING = text("pending_since IS NOT NULL")
HELD = text("held_since IS NOT NULL")
LIVE = text("coalesce(deleted_at, 0) = 0")
"""Not in the words of the statements that find a client by its key: they shall take no other index for as good."""
LIVE_WAITING = text("pending_since IS NOT NULL AND coalesce(deleted_at, 0) = 0")
UNUSED = text(
    "last_used_at IS NULL AND deleted_at IS NULL"
    " AND (kind = 'dynamic' OR (pending_since IS NOT NULL AND suspended_at IS NULL AND kind = 'metadata_document'))"
)
"""What strangers put here. One with a document that was refused is suspended, and stays: it would only come again."""
USED = text("last_used_at IS NOT NULL AND deleted_at IS NULL AND kind = 'dynamic'")
DELETED = text("deleted_at IS NOT NULL")
GUARDS = text("kind = 'resource_server'")
SHARED = text("fingerprint IS NOT NULL AND deleted_at IS NULL")


class ClientRow(Row):
    """A client. A deleted one keeps its row for long, so that its id is known as a pruned one (CR-15).

    ``fingerprint`` is that of the registration which everyone who registers the same shares; None where nobody does.
    ``likeness`` is `Client.likeness`; ``held_since`` is when `HELD_DOCUMENT` came there.
    """

    __tablename__ = "clients"
    __table_args__ = (
        Index("ix_clients_live", "created_at", postgresql_where=LIVE, sqlite_where=LIVE),
        Index("ix_clients_waiting", "created_at", postgresql_where=LIVE_WAITING, sqlite_where=LIVE_WAITING),
        Index(None, "pending_since", postgresql_where=WAITING, sqlite_where=WAITING),
        Index(None, "held_since", postgresql_where=HELD, sqlite_where=HELD),
        Index(None, "suspended_at", postgresql_where=SUSPENDED, sqlite_where=SUSPENDED),
        Index("ix_clients_unused", "created_at", postgresql_where=UNUSED, sqlite_where=UNUSED),
        Index("ix_clients_idle", "last_used_at", postgresql_where=USED, sqlite_where=USED),
        Index("ix_clients_guards", "client_id", postgresql_where=GUARDS, sqlite_where=GUARDS),
        Index(None, "deleted_at", postgresql_where=DELETED, sqlite_where=DELETED),
        Index("uq_clients_shared", "fingerprint", unique=True, postgresql_where=SHARED, sqlite_where=SHARED),
        Index("ix_clients_likeness", "likeness", "created_at"),
        Index(
            "ix_clients_unused_alike",
            "likeness",
            "created_at",
            "client_id",
            postgresql_where=UNUSED,
            sqlite_where=UNUSED,
        ),
    )  # fmt: skip

    client_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    redirect_uris: Mapped[list[str]] = mapped_column(JSON)
    auth_method: Mapped[str]
    grant_types: Mapped[tuple[str, ...]]
    secret_digest: Mapped[Digest | None]
    registration_digest: Mapped[Digest | None]
    previous_secret_digest: Mapped[Digest | None]
    previous_secret_until: Mapped[Seconds | None]
    jwks: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    jwks_uri: Mapped[str | None]
    ceilings: Mapped[dict[str, list[str]]] = mapped_column(JSON, server_default="{}")
    extra: Mapped[dict[str, Any]] = mapped_column("metadata", JSON)
    created_at: Mapped[Seconds]
    last_used_at: Mapped[Seconds | None]
    declared: Mapped[bool] = mapped_column(server_default=false())
    pending_since: Mapped[Seconds | None]
    held_since: Mapped[Seconds | None]
    fingerprint: Mapped[Digest | None]
    likeness: Mapped[Digest | None]
    suspended_at: Mapped[Seconds | None]
    deleted_at: Mapped[Seconds | None]
