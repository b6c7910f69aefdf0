"""What goes to people by mail about their own accounts, and the links in it, by the digests of their secrets."""

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from .base import Digest, Row, Seconds


class InvitationRow(Row):
    """Somebody who may make an account of a given name; ``mailed``: its link went to the address alone."""

    __tablename__ = "invitations"
    __table_args__ = (Index(None, "expires_at"), Index(None, "created_at"))

    id: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[Digest] = mapped_column(unique=True)
    username: Mapped[str] = mapped_column(unique=True)
    display_name: Mapped[str]
    role: Mapped[str]
    email: Mapped[str]
    mailed: Mapped[bool]
    invited_by: Mapped[str]
    created_at: Mapped[Seconds]
    expires_at: Mapped[Seconds]


class AccountLinkRow(Row):
    """A link that proves who reads the mail of ``email``; ``purpose`` is an `account_links.Purpose`. Used once."""

    __tablename__ = "account_links"
    __table_args__ = (Index(None, "expires_at"), Index(None, "user_id"))

    digest: Mapped[Digest] = mapped_column(primary_key=True)
    purpose: Mapped[str]
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    email: Mapped[str]
    created_at: Mapped[Seconds]
    expires_at: Mapped[Seconds]


class LetterRow(Row):
    """A mail that waits: ``sealed`` are its words, None as long as nobody has looked whom they would be for.

    ``language`` is that of the page where one without words was asked for.
    """

    __tablename__ = "letters"
    __table_args__ = (Index(None, "try_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    receiver: Mapped[str]
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[Seconds]
    language: Mapped[str | None]
    tries: Mapped[int]
    try_at: Mapped[Seconds]
