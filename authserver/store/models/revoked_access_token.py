"""Access tokens that were revoked one by one."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from .base import Row, Seconds


class RevokedAccessTokenRow(Row):
    """A revoked ``jti``, kept until the token would have expired anyway."""

    __tablename__ = "revoked_access_tokens"
    __table_args__ = (Index(None, "expires_at"),)

    jti: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[Seconds]
    resource: Mapped[str | None]
    revoked_at: Mapped[Seconds | None]
