"""The configuration's epoch: how the caches of all processes learn that clients, resources or keys have changed."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Generic, TypeVar

from sqlalchemy import Connection, func, select, update
from sqlalchemy.exc import NoResultFound

from .database import Database
from .models import EpochRow

READ = select(EpochRow.epoch)
BUMP = update(EpochRow).values(epoch=EpochRow.epoch + 1)
CHANNEL = "authserver_epoch"
Value = TypeVar("Value")
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
        known, now = self._known, time.monotonic()
        if known is None or now - known[1] > max_age:
            # As of when the look began: however late its answer comes, it tells of nothing that came after that.
            known = self._known = (self._read(), now)
        return known[0]

    def forget(self) -> None:
        """Read again when asked next: this process has changed something, or has reason to think that another did."""
        self._known = None

    def _read(self) -> int:
        found = self._database.look_up(READ, {})
        if found is None:
            raise NoResultFound("config_epoch has no row")
        return int(found.epoch)


class OfEpoch(Generic[Value]):
    """What is read from the database in each epoch anew, once: who asks meanwhile waits for whoever reads it.

    Else every thread would read the same after each change, all at the same time, and calls would stand still for it.
    """

    def __init__(self, epoch: ConfigEpoch, read: Callable[[], Value]) -> None:
        """*read* gives what is in the database when it is called."""
        self._epoch = epoch
        self._read = read
        self._lock = threading.Lock()
        self._known: tuple[int, Value] | None = None
        self._under_way: tuple[int, Future[Value]] | None = None

    def current(self) -> Value:
        """It, at most a second older than any change. Raises what reading it raises."""
        while True:
            epoch, known = self._epoch.current(), self._known
            if known is not None and known[0] == epoch:
                return known[1]
            mine = Future[Value]()
            with self._lock:
                reading = self._under_way
                if reading is None:
                    if self._known is not known or self._epoch.current() != epoch:
                        continue  # it was read, or has changed, in this moment
                    self._under_way = (epoch, mine)
            if reading is None:
                return self._led(epoch, mine)
            if reading[0] == epoch:
                return reading[1].result()
            wait([reading[1]])  # it may have begun before the change that is asked for

    def _led(self, epoch: int, reading: Future[Value]) -> Value:
        try:
            found = self._read()
            self._known = (epoch, found)
            reading.set_result(found)
        except BaseException as wrong:
            reading.set_exception(wrong if isinstance(wrong, Exception) else RuntimeError("the reader was stopped"))
            raise
        finally:
            self._under_way = None
        return found
