"""What came of acts of the API that are not to be done twice."""

from sqlalchemy import Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from .base import Digest, Row, Seconds


class ApiAnswerRow(Row):
    """A request that carried an ``Idempotency-Key``; ``digest`` is of its client and that key.

    ``answer`` is sealed, since it may hold a secret; null until the act has ended.
    """

    __tablename__ = "api_answers"
    __table_args__ = (Index(None, "begun_at"),)

    digest: Mapped[Digest] = mapped_column(primary_key=True)
    fingerprint: Mapped[Digest]
    answer: Mapped[bytes | None] = mapped_column(LargeBinary)
    begun_at: Mapped[Seconds]
