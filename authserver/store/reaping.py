"""Registrations that go by themselves (CR-3): those that nobody ever used, and those that nobody used for long.

Each verb takes a bounded batch in a transaction of its own, and leaves alone what another process is just using.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, and_, delete, exists, func, select, update

from ..protocol.audit import Event
from .audit import record
from .clock import now
from .database import Database
from .ending import end_grants, end_requests
from .epoch import ConfigEpoch, bump
from .models import ClientRow, GrantRow, PendingGrantRow
from .models.client import UNUSED, USED


@dataclass(frozen=True, slots=True)
class Due:
    """A registration that is about to go; ``since`` is when it was made or last used, in Unix seconds."""

    client_id: str
    name: str
    since: int


@dataclass(frozen=True, slots=True)
class Alike:
    """Registrations that nobody used and that are the same to people: how many, and since when (Unix seconds).

    ``client_id`` is one of them; ``likeness`` is `Client.likeness`.
    """

    likeness: bytes
    unused: int
    oldest: int
    newest: int
    client_id: str
    name: str
    redirect_uris: tuple[str, ...]


class RegistrationStore:
    """Dynamic registrations by their age and use, and clients with a metadata document while they wait for approval.

    A client is used when a person allows it something.
    """

    def __init__(self, database: Database, epoch: ConfigEpoch) -> None:
        self._database = database
        self._epoch = epoch

    def count_unused(self, most: int) -> int:
        """How many were never used; counts to *most*."""
        some = select(ClientRow.created_at).where(UNUSED).limit(most).subquery()
        with self._database.reading() as connection:
            return connection.execute(select(func.count()).select_from(some)).scalar_one()

    def alike(self, limit: int) -> tuple[Alike, ...]:
        """The largest groups of unused registrations that are alike, at most *limit*, the largest first.

        It reads an index of unused ones only, of which there are never more than the settings allow.
        """
        row, number = ClientRow, func.count()
        sums = select(
            row.likeness,
            number.label("unused"),
            func.min(row.created_at).label("oldest"),
            func.max(row.created_at).label("newest"),
            func.min(row.client_id).label("one"),
        )
        sums = sums.where(UNUSED, row.likeness.is_not(None)).group_by(row.likeness).having(number > 1)
        group = sums.order_by(number.desc(), row.likeness).limit(limit).subquery()
        found = select(*group.c, row.name, row.redirect_uris).join(row, row.client_id == group.c.one)
        with self._database.reading() as connection:
            rows = connection.execute(found.order_by(group.c.unused.desc(), group.c.likeness)).all()
        return tuple(Alike(*each[:6], tuple(each.redirect_uris)) for each in rows)

    def count_alike(self, likeness: bytes, until: int, most: int) -> int:
        """How many unused ones made until *until* have this *likeness*; counts to *most*."""
        some = select(ClientRow.created_at).where(_unused(until), ClientRow.likeness == likeness).limit(most).subquery()
        with self._database.reading() as connection:
            return connection.execute(select(func.count()).select_from(some)).scalar_one()

    def surplus_until(self, most: int) -> int | None:
        """When the newest was made of those unused ones that are more than *most*; None if they are not as many."""
        ordered = select(ClientRow.created_at).where(UNUSED).order_by(ClientRow.created_at.desc())
        with self._database.reading() as connection:
            return connection.execute(ordered.offset(most).limit(1)).scalar_one_or_none()

    def age_limit(self, seconds: int) -> int:
        """The moment that is *seconds* ago by the database's clock."""
        with self._database.reading() as connection:
            return connection.execute(select(now - seconds)).scalar_one()

    def unused(self, until: int, limit: int) -> tuple[Due, ...]:
        """At most *limit* of those made until *until* and never used, the oldest first."""
        return self._due(ClientRow.created_at, _unused(until), limit)

    def idle(self, until: int, limit: int) -> tuple[Due, ...]:
        """At most *limit* of those last used until *until*, the longest idle first."""
        return self._due(ClientRow.last_used_at, _idle(until), limit)

    def delete_unused(self, until: int, limit: int, event: Event, likeness: bytes | None = None) -> int:
        """Delete at most *limit* of those made until *until* and never used: no trace but *event*; returns how many.

        Only those with this *likeness*, if it is given.
        """
        which = _unused(until) if likeness is None else and_(_unused(until), ClientRow.likeness == likeness)
        found = select(ClientRow.client_id).where(which).order_by(ClientRow.created_at).limit(limit)
        with self._database.transaction() as connection:
            ids = connection.scalars(found.with_for_update(skip_locked=True)).all()
            if ids:
                connection.execute(delete(ClientRow).where(ClientRow.client_id.in_(ids)))
                record(connection, event.about(detail={**event.detail, "clients": len(ids)}))
        return len(ids)

    def end_idle(self, until: int, limit: int, event: Event) -> int:
        """End at most *limit* of those last used until *until*, with their grants; their ids stay known as deleted."""
        found = select(ClientRow.client_id).where(_idle(until)).order_by(ClientRow.last_used_at).limit(limit)
        nothing = {"secret_digest": None, "previous_secret_digest": None, "registration_digest": None}
        with self._database.transaction() as connection:
            ids = connection.scalars(found.with_for_update(skip_locked=True)).all()
            if not ids:
                return 0
            connection.execute(update(ClientRow).where(ClientRow.client_id.in_(ids)).values(deleted_at=now, **nothing))
            end_grants(connection, GrantRow.client_id.in_(ids))
            end_requests(connection, PendingGrantRow.client_id.in_(ids))
            bump(connection)
            for client_id in ids:
                record(connection, event.about(client_id=client_id))
        self._epoch.forget()
        return len(ids)

    def _due(self, since: SQLColumnExpression[Any], which: ColumnElement[bool], limit: int) -> tuple[Due, ...]:
        found: Select[*tuple[Any, ...]] = select(ClientRow.client_id, ClientRow.name, since.label("since")).where(which)
        with self._database.reading() as connection:
            return tuple(Due(*row) for row in connection.execute(found.order_by(since).limit(limit)))


def _unused(until: int) -> ColumnElement[bool]:
    # For one that somebody asks an administrator for it is too early to tell.
    asked_for = exists().where(PendingGrantRow.client_id == ClientRow.client_id)
    return and_(UNUSED, ClientRow.created_at <= until, ~asked_for)


def _idle(until: int) -> ColumnElement[bool]:
    return and_(USED, ClientRow.last_used_at <= until)
