"""Refresh tokens in their families."""

from sqlalchemy import ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Digest, Row, Seconds

SEALED = text("sealed IS NOT NULL")
ENDED = text("revoked_at IS NOT NULL")


class FamilyRow(Row):
    """All refresh tokens that descend from one code. ``expires_at`` is the absolute end, however often it is used.

    ``status_position`` is where its access tokens stand on the status lists; None for one older than those.
    ``methods`` are those by which its person had signed in (`protocol.amr.Method`).
    """

    __tablename__ = "refresh_families"
    __table_args__ = (
        Index(None, "grant_id"),
        Index(None, "expires_at"),
        Index(None, "revoked_at", postgresql_where=ENDED, sqlite_where=ENDED),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    grant_id: Mapped[str] = mapped_column(ForeignKey("grants.id"))
    client_id: Mapped[str]
    resource: Mapped[str]
    scopes: Mapped[tuple[str, ...]]
    auth_time: Mapped[Seconds]
    created_at: Mapped[Seconds]
    expires_at: Mapped[Seconds]
    revoked_at: Mapped[Seconds | None]
    status_position: Mapped[Seconds | None]
    methods: Mapped[tuple[str, ...]] = mapped_column(server_default="")


class RefreshTokenRow(Row):
    """A refresh token. The one that is not rotated is the head of its family.

    ``sealed`` is this token itself, encrypted so that only the holder of its predecessor can read it (TK-4). It lies
    with the successor and not with the predecessor, because then the write that uses a token also erases its copy.
    """

    __tablename__ = "refresh_tokens"
    __table_args__ = (
        Index(None, "family_id", "created_at"),
        # For the purge: not BRIN, since the space of what is purged is used again, and each range then spans all times.
        Index(None, "expires_at"),
        # For the sweep of copies that nobody came back for.
        Index("ix_refresh_tokens_sealed", "created_at", postgresql_where=SEALED, sqlite_where=SEALED),
    )

    digest: Mapped[Digest] = mapped_column(primary_key=True)
    family_id: Mapped[str] = mapped_column(ForeignKey("refresh_families.id"))
    created_at: Mapped[Seconds]
    expires_at: Mapped[Seconds]
    rotated_at: Mapped[Seconds | None]
    successor_digest: Mapped[Digest | None]
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
