"""Browsers that stay signed in, and those that a person has signed in with before."""

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from .base import Digest, Row, Seconds


class RememberedRow(Row):
    """A browser that opens sessions by itself, by a token that changes with each use: ``digest`` names them all.

    ``secret`` is the digest of the one that is good now, ``previous`` of the one before, used at ``used_at``. Moments
    and ``methods`` of the proof are those of the sign-in that all of its sessions stem from.
    """

    __tablename__ = "remembered_browsers"
    __table_args__ = (Index(None, "user_id"), Index(None, "expires_at"))

    digest: Mapped[Digest] = mapped_column(primary_key=True)
    secret: Mapped[Digest]
    previous: Mapped[Digest | None]
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    address: Mapped[str]
    agent: Mapped[str]
    auth_time: Mapped[Seconds]
    methods: Mapped[str]
    created_at: Mapped[Seconds]
    used_at: Mapped[Seconds]
    expires_at: Mapped[Seconds]
    ended_at: Mapped[Seconds | None]


class KnownBrowserRow(Row):
    """A browser from which somebody signed in: ``digest`` is of both together, so that it tells of neither."""

    __tablename__ = "known_browsers"
    __table_args__ = (Index(None, "seen_at"),)

    digest: Mapped[Digest] = mapped_column(primary_key=True)
    seen_at: Mapped[Seconds]
