"""Places on status lists whose tokens have ended, though their family or client may go on."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from .base import Row, Seconds


class EndedPositionRow(Row):
    """A position that a family had at *resource* until its grant lost a scope, or a client until it was allowed less.

    It is kept until the tokens there have expired.
    """

    __tablename__ = "ended_positions"
    __table_args__ = (Index(None, "ended_at"),)

    position: Mapped[Seconds] = mapped_column(primary_key=True, autoincrement=False)
    resource: Mapped[str]
    ended_at: Mapped[Seconds]
