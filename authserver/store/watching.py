"""What the rules of alerts look at: a stretch of the sealed trail, and what is remembered of those before it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, select

from ..protocol.audit_seal import Place, Recorded
from .clock import now
from .database import Database
from .models import AuditRow, FailureCountRow, GrantNetworkRow
from .trail import beyond, read, up_to

MINUTE_MS = 60_000
MOST = 4000  # events that are looked at together: most of what a look costs is the same for few as for many
TOKENS_GOT = ("token.refreshed", "code.redeemed")
FAILED = "sign_in.failed"


@dataclass(frozen=True, slots=True)
class Failures:
    """How many sign-ins of a person (None: of no known one) failed in a ``minute``, from an address."""

    user_id: str | None
    address: str
    minute: int
    count: int


@dataclass(frozen=True, slots=True)
class Refresh:
    """That a grant was refreshed from an address."""

    grant_id: str
    client_id: str
    user_id: str | None
    resource: str
    address: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is of interest after one place until another, and including it."""

    until: Place
    failures: tuple[Failures, ...]
    refreshes: tuple[Refresh, ...]
    events: tuple[Recorded, ...]


class WatchStore:
    """Reads stretches; remembers minutes of failures, and networks of grants."""

    def __init__(self, database: Database) -> None:
        self._database = database
        row = database.insert(GrantNetworkRow).values(seen_at=now)
        self._remembered = row.on_conflict_do_update(index_elements=["grant_id", "network"], set_={"seen_at": now})

    def stretch(self, after: Place, head: Place, names: Collection[str], *, refreshes: bool = True) -> Stretch:
        """The next events after one place, until the sealed place *head* at the most: those of *names* whole.

        Most events are *refreshes*, which whoever has no use for them leaves out.
        """
        until = self._end(after, head)
        there = and_(beyond(after), up_to(until))
        with self._database.reading() as connection:
            events = tuple(read(connection, MOST, there, AuditRow.name.in_(names)))
        return Stretch(until, self._failures(there), self._refreshes(there) if refreshes else (), events)

    def count(self, failures: Mapping[tuple[str, int], int]) -> None:
        """Add to what is remembered, by subject and minute."""
        with self._database.transaction() as connection:
            for (subject, minute), count in sorted(failures.items()):
                row = self._database.insert(FailureCountRow).values(subject=subject, minute=minute, failures=count)
                more = {"failures": FailureCountRow.failures + row.excluded.failures}
                connection.execute(row.on_conflict_do_update(index_elements=["subject", "minute"], set_=more))

    def counted(self, subject: str, minute: int, minutes: int) -> int:
        """How many of *subject* there were in *minute* and those before it, so many *minutes* in all."""
        row = FailureCountRow
        within = (row.subject == subject, row.minute > minute - minutes, row.minute <= minute)
        with self._database.reading() as connection:
            return connection.scalar(select(func.coalesce(func.sum(row.failures), 0)).where(*within)) or 0

    def networks(self, grants: Collection[str]) -> dict[str, dict[str, int]]:
        """The networks that are known of *grants*, and how many seconds ago a refresh was noted from each."""
        row = GrantNetworkRow
        wanted = select(row.grant_id, row.network, now - row.seen_at).where(row.grant_id.in_(grants))
        found: dict[str, dict[str, int]] = {}
        with self._database.reading() as connection:
            for grant, network, age in connection.execute(wanted):
                found.setdefault(grant, {})[network] = age
        return found

    def remember(self, networks: Iterable[tuple[str, str]]) -> None:
        """Refreshes came from these networks, each with its grant before it."""
        rows = [{"grant_id": grant, "network": network} for grant, network in sorted(networks)]
        if rows:
            with self._database.transaction() as connection:
                connection.execute(self._remembered, rows)

    def _end(self, after: Place, head: Place) -> Place:
        place = select(AuditRow.xid, AuditRow.id).where(beyond(after), up_to(head))
        last = place.order_by(AuditRow.xid, AuditRow.id).offset(MOST - 1).limit(1)
        with self._database.reading() as connection:
            found = connection.execute(last).one_or_none()
        return Place(*found) if found else head

    def _failures(self, there: ColumnElement[bool]) -> tuple[Failures, ...]:
        names = (AuditRow.user_id, AuditRow.address, (AuditRow.at_ms // MINUTE_MS).label("minute"))
        wanted = select(*names, func.count()).where(there, AuditRow.name == FAILED)
        with self._database.reading() as connection:
            return tuple(Failures(*row) for row in connection.execute(wanted.group_by("user_id", "address", "minute")))

    def _refreshes(self, there: ColumnElement[bool]) -> tuple[Refresh, ...]:
        names = (AuditRow.grant_id, AuditRow.client_id, AuditRow.user_id, AuditRow.resource, AuditRow.address)
        wanted = select(*names).where(there, AuditRow.name.in_(TOKENS_GOT), AuditRow.grant_id.is_not(None)).distinct()
        with self._database.reading() as connection:
            return tuple(Refresh(**row._asdict()) for row in connection.execute(wanted))
