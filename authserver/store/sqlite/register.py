"""Register a client, using up the token that admits it, as the only writer."""

from collections.abc import Sequence
from typing import TypeAlias

from sqlalchemy import Connection, bindparam, or_, update
from sqlalchemy.dialects.sqlite import insert

from ...protocol.audit import Event
from ...protocol.client import Client
from .. import audit
from ..client_row import CHANGEABLE, LASTING, changeable, lasting
from ..clock import now
from ..database import Database
from ..models import ClientRow, InitialAccessTokenRow
from ..models.client import SHARED

_NEW = insert(ClientRow).values({name: bindparam(name) for name in (*LASTING, *CHANGEABLE, "fingerprint")})
REGISTER = _NEW.on_conflict_do_update(
    index_elements=["fingerprint"], index_where=SHARED, set_={"created_at": _NEW.excluded.created_at}
).returning(ClientRow.client_id)
USE = (
    update(InitialAccessTokenRow)
    .where(
        InitialAccessTokenRow.digest == bindparam("ticket"),
        InitialAccessTokenRow.revoked_at.is_(None),
        or_(InitialAccessTokenRow.expires_at.is_(None), InitialAccessTokenRow.expires_at > now),
        or_(InitialAccessTokenRow.uses_left.is_(None), InitialAccessTokenRow.uses_left > 0),
    )
    .values(uses_left=InitialAccessTokenRow.uses_left - 1)
)

Asked: TypeAlias = tuple[Client, Event, bytes | None, bytes | None]


def register(
    database: Database, client: Client, event: Event, *, ticket: bytes | None, fingerprint: bytes | None
) -> str | None:
    """See `clients.ClientStore.register`."""
    found: str | None = database.as_one_of_many(_register_all, (client, event, ticket, fingerprint))
    return found


def _register_all(connection: Connection, asked: Sequence[Asked]) -> list[str | None]:
    return [_register(connection, *each) for each in asked]


def _register(
    connection: Connection, client: Client, event: Event, ticket: bytes | None, fingerprint: bytes | None
) -> str | None:
    if ticket is not None and not connection.execute(USE, {"ticket": ticket}).rowcount:
        return None
    columns = {**lasting(client), **changeable(client), "fingerprint": fingerprint}
    client_id: str = connection.execute(REGISTER, columns).scalar_one()
    actor = event.actor.replace(client.client_id, client_id)
    audit.record(connection, event.about(actor=actor, client_id=client_id))
    return client_id
