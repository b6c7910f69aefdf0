"""What clients said of themselves before."""

from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from .base import Row, Seconds


class ClientVersionRow(Row):
    """What a client ``says`` of itself since ``at``, and by which event: it, its document, or an administrator.

    There are none of a client that never changed; the first change writes down what was before it, too.
    """

    __tablename__ = "client_versions"

    client_id: Mapped[str] = mapped_column(ForeignKey("clients.client_id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[Seconds]
    event: Mapped[str]
    actor: Mapped[str]
    says: Mapped[dict[str, Any]] = mapped_column(JSON)
