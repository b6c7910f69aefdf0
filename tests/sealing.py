"""Sealing in tests: on PostgreSQL, transactions of the whole server hold seals up, those of other tests too."""

import time

from sqlalchemy import func, select

from authserver.store.database import Database
from authserver.store.models import AuditRow
from authserver.store.trail import finished

SECONDS = 60


def wait_until_finished(database: Database) -> None:
    """Wait until all events that are written can be sealed: all transactions before them have ended."""
    written = select(func.count()).select_from(AuditRow)
    until = time.monotonic() + SECONDS
    while True:
        with database.reading() as connection:
            if connection.scalar(written) == connection.scalar(written.where(finished(connection))):
                return
        assert time.monotonic() < until, "some transaction does not end"
        time.sleep(0.01)
