"""Growing delays for whatever fails again and again (AZ-12)."""

from collections.abc import Callable, Iterable, Mapping

from sqlalchemy import Integer, case, cast, delete, select, update
from sqlalchemy.sql.dml import ReturningInsert

from .clock import now
from .database import Database
from .models import ThrottleRow

HALVED_SECONDS = 3600  # without a failure, after which half of them are forgotten
FORGOTTEN_SECONDS = 24 * HALVED_SECONDS

Delay = Callable[[int], int]
"""The seconds that so many failures cost."""


class MustWait(Exception):
    """Nothing was counted; ``seconds`` are left."""

    def __init__(self, seconds: int) -> None:
        super().__init__()
        self.seconds = seconds


class ThrottleStore:
    """Counts failures by key: an account, an address, or both together."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def admit(self, delays: Mapping[str, Delay]) -> None:
        """Count a failure for each key before it is known to be one, unless one of them has to wait.

        So of many attempts at one instant only those are judged that nobody has to wait for. Each key then has to
        wait the delay of its count. Raises `MustWait`, and counts nothing. Keys are locked in one order by everyone.
        """
        with self._database.transaction() as connection:
            counted = {key: connection.execute(self._count(key)).one() for key in sorted(delays)}
            if (left := max(row.left for row in counted.values())) > 0:
                raise MustWait(left)
            for key, row in counted.items():
                blocked = update(ThrottleRow).where(ThrottleRow.key == key)
                connection.execute(blocked.values(blocked_until=now + delays[key](row.failures)))

    def left(self, key: str) -> int:
        """The seconds that *key* has to wait, 0 if none."""
        wanted = select(ThrottleRow.blocked_until - now).where(ThrottleRow.key == key)
        with self._database.reading() as connection:
            return max(0, connection.scalar(wanted) or 0)

    def cleared(self, keys: Iterable[str]) -> None:
        """Forget the failures of *keys*: it went well."""
        with self._database.transaction() as connection:
            connection.execute(delete(ThrottleRow).where(ThrottleRow.key.in_(sorted(keys))))

    def taken_back(self, keys: Iterable[str]) -> None:
        """Undo what `admit` counted: it was no failure. Earlier failures of *keys* stay."""
        undone = update(ThrottleRow).where(ThrottleRow.key.in_(sorted(keys)), ThrottleRow.failures > 0)
        with self._database.transaction() as connection:
            connection.execute(undone.values(failures=ThrottleRow.failures - 1, blocked_until=now))

    def _count(self, key: str) -> ReturningInsert[int, int]:
        hours = (now - ThrottleRow.last_failed_at) // HALVED_SECONDS
        halved = ThrottleRow.failures.op(">>")(cast(hours, Integer))
        kept = case((hours >= FORGOTTEN_SECONDS // HALVED_SECONDS, 0), else_=halved)
        return (
            self._database.insert(ThrottleRow)
            .values(key=key, failures=1, last_failed_at=now, blocked_until=now)
            .on_conflict_do_update(
                index_elements=["key"],
                set_={"failures": kept + 1, "last_failed_at": now},
            )
            .returning(ThrottleRow.failures, (ThrottleRow.blocked_until - now).label("left"))
        )
