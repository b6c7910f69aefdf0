"""Signing keys, encrypted."""

from typing import Any

from sqlalchemy import JSON
from sqlalchemy.orm import Mapped, mapped_column

from .base import Row, Seconds


class SigningKeyRow(Row):
    """A key pair with its schedule: published at once, signing in between, withdrawn at the end.

    ``withdrawn_at`` is when it was withdrawn before its time; it then never signed, by the other moments.
    """

    __tablename__ = "signing_keys"

    kid: Mapped[str] = mapped_column(primary_key=True)
    alg: Mapped[str]
    purpose: Mapped[str] = mapped_column(server_default="tokens")
    public_jwk: Mapped[dict[str, Any]] = mapped_column(JSON)
    sealed_private: Mapped[bytes]
    created_at: Mapped[Seconds]
    signs_from: Mapped[Seconds | None]
    signs_until: Mapped[Seconds | None]
    published_until: Mapped[Seconds | None]
    withdrawn_at: Mapped[Seconds | None]
