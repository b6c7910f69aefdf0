"""A database that was restored to an earlier moment: which numbers must not come twice, and who is signed in."""

from sqlalchemy import exists, or_, select, update

from ..protocol.audit import Event
from .audit import record
from .clock import now_in_milliseconds
from .database import Database
from .models import EpochRow, HalfSignInRow, RememberedRow, SessionRow, UserRow
from .trail import count_on

# By the clock, so that it leads beyond whatever was counted since, however often the same backup is restored.
FAR = now_in_milliseconds * 1000
SIGNED_IN = or_(
    exists().where(SessionRow.user_id == UserRow.id, SessionRow.ended_at.is_(None)),
    exists().where(RememberedRow.user_id == UserRow.id, RememberedRow.ended_at.is_(None)),
    exists().where(HalfSignInRow.user_id == UserRow.id),
)


class RecoveryStore:
    """What is done once after a restore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def leap(self, event: Event) -> None:
        """Count on from where nothing was counted before: the configuration's epoch, and the events of the trail.

        What was lost had the next numbers already: a process may have cached something under such an epoch, and whoever
        was sent an event takes another of that id for the same. *event* is the first behind the leap.
        """
        with self._database.transaction() as connection:
            far = connection.scalar(select(FAR)) or 0
            connection.execute(update(EpochRow).values(epoch=EpochRow.epoch + far))
            if self._database.dialect == "postgresql":
                count_on(connection, far)
                record(connection, event)
            else:
                record(connection, event, far)

    def signed_in(self, limit: int) -> tuple[str, ...]:
        """The ids of people who are signed in somewhere, or about to be; *limit* of them at the most."""
        with self._database.reading() as connection:
            return tuple(connection.scalars(select(UserRow.id).where(SIGNED_IN).limit(limit)))
