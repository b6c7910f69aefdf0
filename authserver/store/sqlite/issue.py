"""Issue a token to a client for itself, as the only writer."""

from collections.abc import Sequence
from typing import TypeAlias

from sqlalchemy import Connection, bindparam

from ...protocol.access_token import ClientAuthority
from ...protocol.audit import Event
from .. import audit
from ..authority import CLIENT_ALONE
from ..database import Database
from ..models import ClientPositionRow, ClientRow

ALLOWED = (
    CLIENT_ALONE.add_columns(ClientPositionRow.position)
    .join(ClientPositionRow, ClientPositionRow.client_id == ClientRow.client_id)
    .where(ClientPositionRow.resource == bindparam("resource"))
)
Asked: TypeAlias = tuple[ClientAuthority, tuple[str, ...], Event]


def issue(database: Database, authority: ClientAuthority, ceiling: tuple[str, ...], event: Event) -> int | None:
    """See `access_tokens.AccessTokenStore.issue`."""
    found: int | None = database.as_one_of_many(_issue, (authority, ceiling, event))
    return found


def _issue(connection: Connection, asked: Sequence[Asked]) -> list[int | None]:
    positions = [_position(connection, authority, ceiling) for authority, ceiling, _ in asked]
    issued = zip(asked, positions, strict=True)
    audit.record_all(connection, [event for (_, _, event), position in issued if position is not None])
    return positions


def _position(connection: Connection, authority: ClientAuthority, ceiling: tuple[str, ...]) -> int | None:
    about = {"client_id": authority.client_id, "resource": authority.resource}
    found = connection.execute(ALLOWED, about).one_or_none()
    if found is None or tuple(found.ceilings.get(authority.resource, ())) != ceiling:
        return None
    return int(found.position)
