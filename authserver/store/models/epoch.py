"""The number that tells caches of configuration when to look again."""

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from .base import Row


class EpochRow(Row):
    """The one row of the configuration's epoch, which grows with every change of clients, resources and keys."""

    __tablename__ = "config_epoch"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    epoch: Mapped[int] = mapped_column(BigInteger)
