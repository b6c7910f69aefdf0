"""Browser sessions of signed-in people."""

from sqlalchemy import ForeignKey, Index, false
from sqlalchemy.orm import Mapped, mapped_column

from .base import Digest, Row, Seconds


class SessionRow(Row):
    """A session, by the digest of its cookie. ``last_seen_at`` is true to the minute, ``agent`` its browser.

    ``methods`` are those by which its person proved who they are last (`protocol.amr.Method`), between spaces.
    ``remembered`` is the digest of the browser that stays signed in (`remembered.RememberedRow`) with which it ends,
    ``recalled`` whether that one opened it, ``role`` what its person had when it got its secret.
    """

    __tablename__ = "sessions"
    __table_args__ = (Index(None, "user_id"), Index(None, "expires_at"))

    digest: Mapped[Digest] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    auth_time: Mapped[Seconds]
    created_at: Mapped[Seconds]
    last_seen_at: Mapped[Seconds]
    expires_at: Mapped[Seconds]
    ended_at: Mapped[Seconds | None]
    address: Mapped[str]
    agent: Mapped[str] = mapped_column(server_default="")
    methods: Mapped[str] = mapped_column(server_default="pwd")
    remembered: Mapped[Digest | None]
    recalled: Mapped[bool] = mapped_column(server_default=false())
    role: Mapped[str | None]
