"""Authorization codes."""

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from .base import Digest, Row, Seconds


class CodeRow(Row):
    """A code and all that it is bound to.

    ``redeemed_at`` is when it ended; ``family_id`` is what it gave, None when it ended without giving anything.
    """

    __tablename__ = "authorization_codes"
    __table_args__ = (Index(None, "grant_id"), Index(None, "expires_at"))

    digest: Mapped[Digest] = mapped_column(primary_key=True)
    grant_id: Mapped[str] = mapped_column(ForeignKey("grants.id"))
    client_id: Mapped[str]
    redirect_uri: Mapped[str]
    challenge: Mapped[str]
    resource: Mapped[str]
    scopes: Mapped[tuple[str, ...]]
    auth_time: Mapped[Seconds]
    wants_refresh: Mapped[bool]
    created_at: Mapped[Seconds]
    expires_at: Mapped[Seconds]
    redeemed_at: Mapped[Seconds | None]
    family_id: Mapped[str | None]
    methods: Mapped[tuple[str, ...]] = mapped_column(server_default="")
