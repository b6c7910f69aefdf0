"""The places on status lists of tokens that clients have for themselves (TK-10).

A client has one at each resource where it is allowed something. It takes another as soon as it is allowed less there:
what was issued before said too much. Whether it may act at all is not written here; the lists see that by themselves.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from .authority import FOR_ITSELF
from .clock import now
from .models import ClientPositionRow, ClientRow, EndedPositionRow
from .positions import next_position

Ceilings = Mapping[str, Sequence[str]]


@contextmanager
def kept(connection: Connection, client_id: str) -> Iterator[None]:
    """Let the places of a client follow what is written of it inside. Its row is locked until the transaction ends.

    Places are locked after grants and before the epoch, by everyone.
    """
    before = _allowed(connection, client_id)
    yield
    after = _allowed(connection, client_id)
    own = ClientPositionRow.client_id == client_id
    for resource, scopes in before.items():
        if resource not in after:
            _end(connection, own & (ClientPositionRow.resource == resource))
        elif not set(scopes).issubset(after[resource]):
            move(connection, own & (ClientPositionRow.resource == resource))
    for resource in after.keys() - before.keys():
        place = {"client_id": client_id, "resource": resource, "position": next_position(connection)}
        connection.execute(insert(ClientPositionRow).values(**place))


def move(connection: Connection, which: ColumnElement[bool]) -> None:
    """End the places that *which* tells, with the tokens there, and give their clients others."""
    held = select(ClientPositionRow).where(which).order_by(ClientPositionRow.client_id, ClientPositionRow.resource)
    # In one order for everyone, as all that locks many.
    for place in connection.execute(held.with_for_update()).all():
        _note(connection, place.resource, place.position)
        this = update(ClientPositionRow).where(
            ClientPositionRow.client_id == place.client_id, ClientPositionRow.resource == place.resource
        )
        connection.execute(this.values(position=next_position(connection)))


def _end(connection: Connection, which: ColumnElement[bool]) -> None:
    gone = delete(ClientPositionRow).where(which).returning(ClientPositionRow.resource, ClientPositionRow.position)
    for place in connection.execute(gone).all():
        _note(connection, place.resource, place.position)


def _note(connection: Connection, resource: str, position: int) -> None:
    connection.execute(insert(EndedPositionRow).values(resource=resource, position=position, ended_at=now))


def _allowed(connection: Connection, client_id: str) -> Ceilings:
    """What the client is allowed for itself, suspended or not; nothing if there is none, or it was deleted."""
    existing = select(ClientRow.ceilings).where(ClientRow.client_id == client_id, ClientRow.deleted_at.is_(None))
    return connection.scalar(existing.where(*FOR_ITSELF).with_for_update()) or {}
