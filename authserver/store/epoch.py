"""The configuration's epoch: how the caches of all processes learn that clients, resources or keys have changed."""

import time

from sqlalchemy import Connection, func, select, update
from sqlalchemy.exc import NoResultFound

from .database import Database
from .models import EpochRow

READ = select(EpochRow.epoch)
BUMP = update(EpochRow).values(epoch=EpochRow.epoch + 1)
CHANNEL = "authserver_epoch"
ANNOUNCE = select(func.pg_notify(CHANNEL, ""))


def bump(connection: Connection) -> None:
    """Begin a new epoch with the transaction of *connection*, whose commit PostgreSQL announces to who listens.

    An announcement has commits wait for each other, as the one row of the epoch does: it is for what is administered,
    never for what requests for tokens change.
    """
    connection.execute(BUMP)
    if connection.dialect.name == "postgresql":
        connection.execute(ANNOUNCE)


class ConfigEpoch:
    """Reads the epoch, from the database at most once in a while."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: tuple[int, float] | None = None

    def current(self, max_age: float = 1.0) -> int:
        """The epoch as it was at most *max_age* seconds ago."""
        known = self._known
        if known is None or time.monotonic() - known[1] > max_age:
            known = self._known = (self._read(), time.monotonic())
        return known[0]

    def forget(self) -> None:
        """Read again when asked next: this process has changed something, or has reason to think that another did."""
        self._known = None

    def _read(self) -> int:
        found = self._database.look_up(READ, {})
        if found is None:
            raise NoResultFound("config_epoch has no row")
        return int(found.epoch)
