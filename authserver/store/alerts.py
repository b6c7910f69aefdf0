"""Alerts: what looked unusual, told once until an administrator has seen it."""

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Select, func, select, update

from ..protocol.alert import AlertKind, Severity
from ..protocol.audit import Event
from ..protocol.credential import base64url
from .audit import record
from .clock import now
from .database import Database
from .models import AlertRow, ClientRow, UserRow
from .notices import Notice, note
from .paging import Order, Page, cut

ID_BYTES = 16
DAY = 86_400


@dataclass(frozen=True, slots=True)
class Alert:
    """Something to be told once for all that it is about, and for ``occasion`` (such as a day) if that is not empty.

    ``resource`` is empty where it is about no MCP server; a subject that has no field of its own is in ``occasion``.
    ``counts`` names the number in ``detail`` that grows where it was told before.
    """

    kind: AlertKind
    resource: str
    client_id: str | None = None
    user_id: str | None = None
    tool: str | None = None
    occasion: str = ""
    detail: dict[str, Any] = field(default_factory=dict, compare=False)
    counts: str = field(default="", compare=False)

    @property
    def id(self) -> str:
        """The same for what is the same."""
        about = [self.kind, self.resource, self.client_id, self.user_id, self.tool, self.occasion]
        return base64url(hashlib.sha256(json.dumps(about).encode()).digest()[:ID_BYTES])


@dataclass(frozen=True, slots=True)
class AlertListing:
    """An alert with the names that people know; ``raised_at`` in Unix seconds."""

    id: str
    kind: str
    resource: str
    client_id: str | None
    user_id: str | None
    tool: str | None
    detail: dict[str, Any]
    raised_at: int
    dismissed_at: int | None
    username: str | None
    display_name: str | None
    client_name: str | None

    @property
    def severity(self) -> Severity:
        """How much it matters."""
        return AlertKind(self.kind).severity if self.kind in set(AlertKind) else Severity.WARNING

    @property
    def is_critical(self) -> bool:
        """Whether it wants somebody now."""
        return self.severity is Severity.CRITICAL


COLUMNS = ("id", "kind", "resource", "client_id", "user_id", "tool", "detail", "raised_at", "dismissed_at")
LISTING = (
    select(
        *(getattr(AlertRow, name) for name in COLUMNS),
        UserRow.username,
        UserRow.display_name,
        ClientRow.name.label("client_name"),
    )
    .outerjoin(UserRow, UserRow.id == AlertRow.user_id)
    .outerjoin(ClientRow, ClientRow.client_id == AlertRow.client_id)
)
STANDING = LISTING.where(AlertRow.dismissed_at.is_(None))
NEWEST_FIRST = Order(AlertRow.raised_at, AlertRow.id)
AHEAD = 2**40  # seconds by which a place among the critical ones comes before all others
CRITICAL_FIRST = Order(AlertRow.raised_at + AHEAD, AlertRow.id)
IS_CRITICAL = AlertRow.kind.in_(kind for kind in AlertKind if kind.severity is Severity.CRITICAL)


class AlertStore:
    """Alerts, each once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def raise_new(self, alerts: Iterable[Alert], event: Event) -> int:
        """Tell those of *alerts* that were not told before, and return how many. Safe under concurrency.

        Each of them is a notice too, of the topic ``alert.<kind>``.
        """
        new = 0
        with self._database.transaction() as connection:
            for alert in sorted(set(alerts), key=lambda alert: alert.id):
                columns = {name: getattr(alert, name) for name in COLUMNS[:7]}
                row = self._database.insert(AlertRow).values(**columns, raised_at=now).on_conflict_do_nothing()
                if connection.execute(row.returning(AlertRow.id)).first():
                    new += 1
                    about = {name: columns[name] for name in ("client_id", "user_id", "resource")}
                    record(connection, event.about(**about, detail={"kind": alert.kind, "alert": alert.id}))
                    note(connection, Notice(f"alert.{alert.kind}", {"id": alert.id}))
                elif alert.counts:
                    _grow(connection, alert)
        return new

    def dismiss(self, alert_id: str, event: Event) -> bool:
        """An administrator has seen it. False if it is not there, or was dismissed before."""
        row = update(AlertRow).where(AlertRow.id == alert_id, AlertRow.dismissed_at.is_(None)).values(dismissed_at=now)
        told = row.returning(AlertRow.kind, AlertRow.client_id, AlertRow.user_id, AlertRow.resource)
        with self._database.transaction() as connection:
            found = connection.execute(told).first()
            if found is None:
                return False
            about = {"client_id": found.client_id, "user_id": found.user_id, "resource": found.resource}
            record(connection, event.about(**about, detail={"kind": found.kind, "alert": alert_id}))
        return True

    def dismiss_until(self, alert_id: str, event: Event) -> int:
        """An administrator has seen this alert and knows all older ones of its kind. Returns how many that were."""
        standing = AlertRow.dismissed_at.is_(None)
        with self._database.transaction() as connection:
            known = select(AlertRow.kind, AlertRow.raised_at).where(AlertRow.id == alert_id, standing)
            last = connection.execute(known).first()
            if last is None:
                return 0
            older = (AlertRow.kind == last.kind, AlertRow.raised_at <= last.raised_at, standing)
            dismissed = connection.execute(update(AlertRow).where(*older).values(dismissed_at=now)).rowcount
            record(connection, event.about(detail={"kind": last.kind, "until": last.raised_at, "alerts": dismissed}))
        return dismissed

    def standing(self, after: str | None, limit: int) -> Page[AlertListing]:
        """Those that nobody has dismissed: the critical ones, then the others, each of them newest first."""
        found = self._list(CRITICAL_FIRST.limit(STANDING.where(IS_CRITICAL), after, limit))
        if len(found) <= limit:
            found += self._list(NEWEST_FIRST.limit(STANDING.where(~IS_CRITICAL), after, limit))
        return cut(found, limit, lambda line: (line.raised_at + AHEAD * line.is_critical, line.id))

    def of_user(self, user_id: str, limit: int) -> list[AlertListing]:
        """The newest of those about a person that nobody has dismissed."""
        return self._list(NEWEST_FIRST.limit(STANDING.where(AlertRow.user_id == user_id), None, limit))[:limit]

    def listed(self, alert_ids: Collection[str]) -> dict[str, AlertListing]:
        """Those of *alert_ids* that are known, dismissed or not."""
        return {line.id: line for line in self._list(LISTING.where(AlertRow.id.in_(alert_ids)))}

    def lately(self, kind: AlertKind) -> int:
        """How many of *kind* were raised in the last 24 hours."""
        which = (AlertRow.kind == kind, AlertRow.raised_at > now - DAY)
        with self._database.reading() as connection:
            return connection.scalar(select(func.count()).select_from(AlertRow).where(*which)) or 0

    def find(self, alert_id: str) -> AlertListing | None:
        """One that nobody has dismissed."""
        found = self._list(STANDING.where(AlertRow.id == alert_id))
        return found[0] if found else None

    def _list(self, statement: Select[*tuple[Any, ...]]) -> list[AlertListing]:
        with self._database.reading() as connection:
            return [AlertListing(**row._asdict()) for row in connection.execute(statement)]


def _grow(connection: Connection, alert: Alert) -> None:
    """Add what *alert* counts to the same one that was told before."""
    same = AlertRow.id == alert.id
    before: dict[str, Any] = connection.execute(select(AlertRow.detail).where(same).with_for_update()).scalar_one()
    more = {alert.counts: before[alert.counts] + alert.detail[alert.counts]}
    connection.execute(update(AlertRow).where(same).values(detail={**before, **more}))
