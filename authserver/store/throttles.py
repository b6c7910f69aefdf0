"""Growing delays for whatever fails again and again (AZ-12)."""

from collections.abc import Callable, Iterable

from sqlalchemy import case, delete, func, select, update
from sqlalchemy.sql.dml import ReturningInsert

from .clock import now
from .database import Database
from .models import ThrottleRow

FORGOTTEN_SECONDS = 24 * 3600  # without a failure, after which counting begins anew


class ThrottleStore:
    """Counts failures by key: an account, an address, or both together."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def blocked_for(self, keys: Iterable[str]) -> int:
        """Seconds until none of *keys* has to wait any more; 0 if none has to."""
        longest = select(func.max(ThrottleRow.blocked_until - now)).where(ThrottleRow.key.in_(sorted(keys)))
        with self._database.reading() as connection:
            return max(0, connection.execute(longest).scalar() or 0)

    def failed(self, keys: Iterable[str], delay: Callable[[int], int]) -> None:
        """Count a failure for each of *keys*; each has to wait *delay* of its count, in seconds.

        Concurrent failures are all counted; keys are locked in one order by everyone.
        """
        with self._database.transaction() as connection:
            for key in sorted(keys):
                failures = connection.execute(self._count(key)).scalar_one()
                row = update(ThrottleRow).where(ThrottleRow.key == key)
                connection.execute(row.values(blocked_until=now + delay(failures)))

    def cleared(self, keys: Iterable[str]) -> None:
        """Forget the failures of *keys*: it went well."""
        with self._database.transaction() as connection:
            connection.execute(delete(ThrottleRow).where(ThrottleRow.key.in_(sorted(keys))))

    def _count(self, key: str) -> ReturningInsert[int]:
        forgotten = ThrottleRow.last_failed_at <= now - FORGOTTEN_SECONDS
        return (
            self._database.insert(ThrottleRow)
            .values(key=key, failures=1, last_failed_at=now, blocked_until=now)
            .on_conflict_do_update(
                index_elements=["key"],
                set_={"failures": case((forgotten, 1), else_=ThrottleRow.failures + 1), "last_failed_at": now},
            )
            .returning(ThrottleRow.failures)
        )
