"""Places on status lists of tokens that clients have for themselves."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from .base import Row, Seconds


class ClientPositionRow(Row):
    """Where the tokens of a client for itself stand on the lists of *resource*, as long as it is allowed something."""

    __tablename__ = "client_positions"

    client_id: Mapped[str] = mapped_column(ForeignKey("clients.client_id"), primary_key=True)
    resource: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[Seconds]
