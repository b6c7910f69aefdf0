"""Tokens that open dynamic registration (RFC 7591 §3)."""

from sqlalchemy.orm import Mapped, mapped_column

from .base import Digest, Row, Seconds


class InitialAccessTokenRow(Row):
    """An initial access token; ``uses_left`` of None means any number, ``expires_at`` of None means never."""

    __tablename__ = "initial_access_tokens"

    id: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[Digest] = mapped_column(unique=True)
    label: Mapped[str]
    created_at: Mapped[Seconds]
    expires_at: Mapped[Seconds | None]
    uses_left: Mapped[int | None]
    revoked_at: Mapped[Seconds | None]
