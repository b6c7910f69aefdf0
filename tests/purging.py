"""A purge of one batch of each kind of rows."""

from itertools import count

from authserver.store.database import Database
from authserver.store.purge import _kinds, purge_all

DAY = 86_400


def purge(database: Database, limit: int = 1000, *, receipts_for: int = 90 * DAY) -> dict[str, int]:
    """Delete at most *limit* rows of each kind; returns how many, by table. None of them may be another's just now."""
    turns, kinds = count(1), len(_kinds(0, 0, 0))

    def wait(pause: float) -> bool:
        return next(turns) == kinds

    return purge_all(database, limit, receipts_for=receipts_for, seconds=60, wait=wait).rows
