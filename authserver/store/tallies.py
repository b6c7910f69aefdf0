"""What the overview draws: how often things happened, by hour and by day, and how many there are of what is many.

Events are counted by whoever seals them, in the transaction of the seal: each once, and at most a second late. Tool
calls are summed up from the hours that are kept of them, and what is standing is counted anew now and then.
"""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from typing import TypeAlias

from sqlalchemy import ColumnElement, Connection, Select, TextClause, delete, func, literal, select, update

from ..protocol.audit_seal import Recorded
from .clock import now
from .database import Database
from .models import CensusRow, ClientRow, GrantRow, Row, TallyRow, ToolHourRow, client, grant

HOURS = 24
DAYS = 30
HOUR_MS = 3_600_000
LATE_HOURS = 48  # that a guard may be late with its receipts and still be counted
KEPT_HOURS = (DAYS + 2) * HOURS
FRESH_SECONDS = 60  # that a census counts


class Series(StrEnum):
    """What is counted by the hour."""

    SIGN_INS = "sign_ins"
    FAILURES = "failures"
    TOKENS = "tokens"
    CLIENTS = "clients"
    CALLS = "calls"


class Census(StrEnum):
    """What is counted as it stands."""

    GRANTS = "grants"
    CLIENTS = "clients"


Those: TypeAlias = tuple[type[Row], ColumnElement[bool] | TextClause]
"""Which rows of which table."""

COUNTED = {
    "sign_in.succeeded": Series.SIGN_INS,
    "sign_in.failed": Series.FAILURES,
    "code.redeemed": Series.TOKENS,
    "token.refreshed": Series.TOKENS,
    "token.issued": Series.TOKENS,
    "client.registered": Series.CLIENTS,
    "client.discovered": Series.CLIENTS,
    "client.added": Series.CLIENTS,
}
LIVING: dict[str, Those] = {Census.GRANTS: (GrantRow, grant.LIVE), Census.CLIENTS: (ClientRow, client.LIVE)}
"""In the words of indexes that hold those alone, so that the tables themselves are not read for it."""
Figures = dict[Series, tuple[int, ...]]


def tally(database: Database, connection: Connection, events: Iterable[Recorded]) -> None:
    """Count *events* in the transaction that seals them."""
    found = ((COUNTED.get(each.event.name), each.at_ms // HOUR_MS) for each in events)
    sums = Counter((series, hour) for series, hour in found if series)
    rows = [{"series": series, "hour": hour, "times": times} for (series, hour), times in sorted(sums.items())]
    if rows:
        new = database.insert(TallyRow).values(rows)
        more = {"times": TallyRow.times + new.excluded.times}
        connection.execute(new.on_conflict_do_update(index_elements=["series", "hour"], set_=more))


def moments(last: int, length: int, *, days: bool) -> list[int]:
    """The beginnings of the *length* hours or days (UTC) up to *last*, in Unix seconds, newest first."""
    hours = HOURS if days else 1
    return [(last - back) * hours * HOUR_MS // 1000 for back in range(length)]


class TallyStore:
    """Tallies, and censuses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def hours(self) -> tuple[int, Figures]:
        """The current hour, numbered from the epoch, and how often each happened in it and in the 23 before it."""
        return self._figures(select(TallyRow.series, TallyRow.hour, TallyRow.times), HOURS, 1)

    def days(self) -> tuple[int, Figures]:
        """The current day (UTC), numbered from the epoch, and how often each happened in it and in the 29 before it."""
        day = (TallyRow.hour // HOURS).label("day")
        of_days = select(TallyRow.series, day, func.sum(TallyRow.times)).group_by(TallyRow.series, day)
        return self._figures(of_days, DAYS, HOURS)

    def recount(self) -> bool:
        """Sum up tool calls, count what is standing, and forget what is no longer shown; False if it was done lately.

        Of all processes that ask in a minute one does it.
        """
        if not self._claim():
            return False
        with self._database.transaction() as connection:
            self._sum_calls(connection)
            connection.execute(delete(TallyRow).where(TallyRow.hour < now // 3600 - KEPT_HOURS))
        for name, (table, living) in LIVING.items():
            with self._database.reading() as connection:
                number = connection.execute(select(func.count()).select_from(table).where(living)).scalar_one()
            with self._database.transaction() as connection:
                connection.execute(update(CensusRow).where(CensusRow.name == name).values(number=number))
        return True

    def census(self) -> dict[Census, int]:
        """How many there were when they were last counted; what was never counted is left out."""
        with self._database.reading() as connection:
            found = connection.execute(select(CensusRow.name, CensusRow.number))
            return {Census(name): number for name, number in found if name in LIVING}

    def _figures(self, wanted: Select[str, int, int], length: int, hours: int) -> tuple[int, Figures]:
        with self._database.reading() as connection:
            last = (connection.execute(select(now)).scalar_one() // 3600) // hours
            since = (last - length + 1) * hours
            rows = connection.execute(wanted.where(TallyRow.hour >= since, TallyRow.hour < (last + 1) * hours)).all()
        found = {(series, moment): int(times) for series, moment, times in rows}
        moments = range(last - length + 1, last + 1)
        return last, {series: tuple(found.get((series, moment), 0) for moment in moments) for series in Series}

    def _claim(self) -> bool:
        rows = [{"name": name, "number": 0, "counted_at": now} for name in Census]
        new = self._database.insert(CensusRow).values(rows)
        due = CensusRow.counted_at <= now - FRESH_SECONDS
        claimed = new.on_conflict_do_update(index_elements=["name"], set_={"counted_at": now}, where=due)
        with self._database.transaction() as connection:
            return bool(connection.scalars(claimed.returning(CensusRow.name)).all())

    def _sum_calls(self, connection: Connection) -> None:
        late = ToolHourRow.hour >= now // 3600 - LATE_HOURS
        sums = select(literal(Series.CALLS), ToolHourRow.hour, func.sum(ToolHourRow.calls)).where(late)
        new = self._database.insert(TallyRow).from_select(["series", "hour", "times"], sums.group_by(ToolHourRow.hour))
        changed = {"times": new.excluded.times}
        connection.execute(new.on_conflict_do_update(index_elements=["series", "hour"], set_=changed))
