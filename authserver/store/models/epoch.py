"""The number that tells caches of configuration when to look again."""

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from .base import Row


class EpochRow(Row):
    """The one row of the configuration's epoch, which grows with every change of clients, resources and keys.

    ``last_position`` counts places on status lists where the database has no sequences (`store.positions`).
    """

    __tablename__ = "config_epoch"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    epoch: Mapped[int] = mapped_column(BigInteger)
    last_position: Mapped[int] = mapped_column(BigInteger, server_default="0")
