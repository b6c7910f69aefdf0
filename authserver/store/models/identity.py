"""Who people are at identity providers, and their ways there and back."""

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from .base import Digest, Row, Seconds


class IdentityRow(Row):
    """An account is opened by being ``subject`` at ``issuer``; ``name`` is what they were called there last."""

    __tablename__ = "identities"
    __table_args__ = (Index(None, "user_id"),)

    issuer: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str]
    linked_at: Mapped[Seconds]
    used_at: Mapped[Seconds]


class UpstreamAttemptRow(Row):
    """A browser that was sent to ``upstream``, by the digests of its ``state`` and of its device cookie.

    ``purpose`` is a `store.upstream_attempts.Purpose`; ``session`` the digest of the session that was there, ``page``
    where to go on.
    """

    __tablename__ = "upstream_attempts"
    __table_args__ = (Index(None, "expires_at"),)

    digest: Mapped[Digest] = mapped_column(primary_key=True)
    browser: Mapped[Digest]
    upstream: Mapped[str]
    purpose: Mapped[str]
    session: Mapped[Digest | None]
    page: Mapped[str]
    created_at: Mapped[Seconds]
    expires_at: Mapped[Seconds]
