"""Sums for the console, so that no page counts what it shows of busy tables."""

from sqlalchemy import BigInteger, Index
from sqlalchemy.orm import Mapped, mapped_column

from .base import Row, Seconds


class TallyRow(Row):
    """How often something happened (``series``) in an ``hour``, numbered from the epoch."""

    __tablename__ = "tallies"
    __table_args__ = (Index(None, "hour"),)

    series: Mapped[str] = mapped_column(primary_key=True)
    hour: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    times: Mapped[int] = mapped_column(BigInteger)


class CensusRow(Row):
    """How many of something there were when they were last counted, at ``counted_at``."""

    __tablename__ = "censuses"

    name: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    counted_at: Mapped[Seconds]
