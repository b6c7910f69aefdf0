"""What waits to leave this server, for whoever watches it: mail about accounts, and messages with notices."""

from dataclasses import dataclass

from sqlalchemy import Select, func, select

from .clock import now
from .database import Database
from .models import LetterRow, NoticeMessageRow

MOST = 10_000  # counting ends there


@dataclass(frozen=True, slots=True)
class WaitingOut:
    """How much waits, and for how many seconds the oldest does: 0 where nothing waits."""

    number: int
    seconds: int


def letters(database: Database) -> WaitingOut:
    """Mail about accounts that was not taken yet."""
    return _read(database, select(LetterRow.created_at).limit(MOST))


def notices(database: Database) -> WaitingOut:
    """Messages with notices that were neither taken nor given up yet."""
    return _read(database, select(NoticeMessageRow.created_at).where(NoticeMessageRow.try_at.is_not(None)).limit(MOST))


def _read(database: Database, which: Select[int]) -> WaitingOut:
    waits = which.subquery()
    oldest = now - func.coalesce(func.min(waits.c.created_at), now)
    with database.reading() as connection:
        number, seconds = connection.execute(select(func.count(), oldest).select_from(waits)).one()
    return WaitingOut(number, max(0, seconds))
