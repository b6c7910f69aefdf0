"""What an administrator decided about the domains that clients come from (CR-10)."""

from sqlalchemy.orm import Mapped, mapped_column

from .base import Row, Seconds


class DomainPolicyRow(Row):
    """``decision`` is ``allow``, ``deny`` or ``ask``, for *domain* and all below it."""

    __tablename__ = "domain_policies"

    domain: Mapped[str] = mapped_column(primary_key=True)
    decision: Mapped[str]
    created_at: Mapped[Seconds]
