"""Registered MCP servers with their catalogues: implements `protocol.ports.Resources`."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..protocol import credential
from ..protocol.audit import Event
from ..protocol.resource import Resource, Source, identified
from . import catalogue, own_places
from .audit import record
from .clock import now
from .database import Database
from .ending import end_grants, end_requests
from .epoch import ConfigEpoch, OfEpoch, bump
from .failures import repeatable
from .models import ClientPositionRow, GrantRow, PendingGrantRow, ResourceRow


class AlreadyRegistered(ValueError):
    """The identifier or an alias means a registered MCP server already."""


class UnknownResource(LookupError):
    """No server is registered under that identifier."""


class _Changed(Exception):
    """Somebody else changed the server meanwhile."""


class ResourceStore:
    """MCP servers. All of them are kept in memory, and read again when the configuration's epoch has moved."""

    def __init__(self, database: Database, epoch: ConfigEpoch) -> None:
        """*epoch* tells when another process changed a resource."""
        self._database = database
        self._epoch = epoch
        self._known = OfEpoch(epoch, self._read)

    def all(self) -> tuple[Resource, ...]:
        """All that are registered and not suspended, oldest first. At most a second older than any change."""
        return self._known.current()[0]

    def suspended(self) -> tuple[Resource, ...]:
        """Those that are suspended, oldest first. At most a second older than any change."""
        return self._known.current()[1]

    def every(self) -> tuple[Resource, ...]:
        """All that are registered, those that are suspended last: for whoever administers them."""
        active, resting = self._known.current()
        return (*active, *resting)

    def find(self, identifier: str) -> Resource | None:
        """The one of `every` with exactly that identifier; None if there is none."""
        return identified(self.every(), identifier)

    def refresh(self) -> None:
        """Have the next `all` see every change made until now: for a request that met an unknown resource."""
        self._epoch.forget()

    def add(self, resource: Resource, event: Event) -> None:
        """Register a server. Raises `AlreadyRegistered` when its identifier or an alias is taken (AZ-4)."""
        resource_id = credential.identifier()
        with self._changing(event.about(resource=resource.identifier)) as connection:
            columns = {"id": resource_id, "identifier": resource.identifier, "created_at": now}
            connection.execute(insert(ResourceRow).values(**columns, name=resource.name, is_default=False))
            catalogue.write(connection, resource_id, resource)

    def replace(self, resource: Resource, event: Event) -> None:
        """Replace name, aliases, scopes and tools of the server with this identifier; its grants stay.

        Raises `UnknownResource`, and `AlreadyRegistered` when an alias is taken.
        """
        with self._changing(event.about(resource=resource.identifier)) as connection:
            resource_id = _find(connection, resource.identifier)
            catalogue.clear(connection, resource_id)
            catalogue.write(connection, resource_id, resource)

    def exchange(self, before: Resource, after: Resource, event: Event, *, heard: Source | None = None) -> bool:
        """As `replace`, but only while the server is what *before* says; False if it is not any more.

        *heard* tells where its tools were heard of, if this is about them. Raises `UnknownResource`, and
        `AlreadyRegistered` when an alias is taken.
        """
        try:
            with self._changing(event.about(resource=before.identifier)) as connection:
                resource_id = _unchanged(connection, before)
                catalogue.clear(connection, resource_id)
                catalogue.write(connection, resource_id, after)
                if heard is not None:
                    row = update(ResourceRow).where(ResourceRow.id == resource_id)
                    connection.execute(row.values(tools_source=heard, tools_heard_at=now))
        except _Changed:
            return False
        return True

    def remove(self, identifier: str, event: Event, *, before: Resource | None = None) -> bool:
        """Forget a server; what people granted and were approved of it ends, and what clients have for themselves.

        Raises `UnknownResource`. False, with nothing done, if it is not what *before* says any more, where that is
        given.
        """
        try:
            with self._changing(event.about(resource=identifier)) as connection:
                resource_id = _unchanged(connection, before) if before else _find(connection, identifier)
                catalogue.clear(connection, resource_id)
                connection.execute(delete(ResourceRow).where(ResourceRow.id == resource_id))
                end_grants(connection, GrantRow.resource == identifier)
                end_requests(connection, PendingGrantRow.resource == identifier)
                own_places.move(connection, ClientPositionRow.resource == identifier)
        except _Changed:
            return False
        return True

    def set_suspended(self, identifier: str, suspended: bool, event: Event) -> None:
        """Issue no tokens for a server, or again; its grants stay. Raises `UnknownResource`."""
        with self._changing(event.about(resource=identifier)) as connection:
            row = update(ResourceRow).where(ResourceRow.id == _find(connection, identifier))
            connection.execute(row.values(suspended_at=now if suspended else None))

    @contextmanager
    def _changing(self, event: Event) -> Iterator[Connection]:
        try:
            with self._database.transaction() as connection:
                yield connection
                bump(connection)
                record(connection, event)
        except IntegrityError:
            raise AlreadyRegistered(f"{event.resource} or one of its aliases is registered already") from None
        self._epoch.forget()

    @repeatable
    def _read(self) -> tuple[tuple[Resource, ...], tuple[Resource, ...]]:
        """Those that are not suspended, and those that are."""
        with self._database.session() as session:
            rows = session.scalars(select(ResourceRow).order_by(ResourceRow.created_at, ResourceRow.id)).all()
            found = catalogue.read(session, rows)
        return tuple(one for one in found if not one.suspended), tuple(one for one in found if one.suspended)


def _find(connection: Connection, identifier: str) -> str:
    found = connection.scalars(select(ResourceRow.id).where(ResourceRow.identifier == identifier)).one_or_none()
    if found is None:
        raise UnknownResource(f"{identifier} is not registered")
    return found


def _unchanged(connection: Connection, expected: Resource) -> str:
    """The id of the row of *expected*, which is locked until the transaction ends. Raises `_Changed`."""
    resource_id = _find(connection, expected.identifier)
    connection.execute(select(ResourceRow.id).where(ResourceRow.id == resource_id).with_for_update())
    with Session(connection) as session:
        rows = session.scalars(select(ResourceRow).where(ResourceRow.id == resource_id)).all()
        if catalogue.read(session, rows) != (expected,):
            raise _Changed
    return resource_id
