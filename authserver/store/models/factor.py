"""What people prove themselves with beside a password, and the sign-ins that wait for it."""

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from .base import Digest, Row, Seconds


class FactorRow(Row):
    """A passkey or an authenticator app of a person; ``kind`` is a `store.factors.Kind`.

    ``secret`` is the app's secret, encrypted, or the passkey's public key; ``counter`` the last time step of the app
    that was used, or the passkey's count of signatures. It counts for nothing until ``confirmed_at``.
    """

    __tablename__ = "factors"
    __table_args__ = (Index(None, "user_id"), Index("uq_factors_credential_id", "credential_id", unique=True))

    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    kind: Mapped[str]
    name: Mapped[str]
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    credential_id: Mapped[bytes | None] = mapped_column(LargeBinary)
    counter: Mapped[Seconds]
    created_at: Mapped[Seconds]
    confirmed_at: Mapped[Seconds | None]
    last_used_at: Mapped[Seconds | None]


class RecoveryCodeRow(Row):
    """The digest of a code that stands in for a lost factor, once."""

    __tablename__ = "recovery_codes"
    __table_args__ = (Index(None, "user_id"),)

    digest: Mapped[Digest] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    used_at: Mapped[Seconds | None]


class HalfSignInRow(Row):
    """Somebody proved by ``methods``, at ``auth_time``, who they are, and owes the second factor."""

    __tablename__ = "half_sign_ins"
    __table_args__ = (Index(None, "user_id"), Index(None, "expires_at"))

    digest: Mapped[Digest] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    methods: Mapped[tuple[str, ...]]
    auth_time: Mapped[Seconds]
    expires_at: Mapped[Seconds]
