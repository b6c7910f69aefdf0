"""Issue a token to a client for itself, as the only writer."""

from sqlalchemy import select

from ...protocol.access_token import ClientAuthority
from ...protocol.audit import Event
from .. import audit
from ..authority import CLIENT_ALONE
from ..database import Database
from ..models import ClientPositionRow


def issue(database: Database, authority: ClientAuthority, ceiling: tuple[str, ...], event: Event) -> int | None:
    """See `access_tokens.AccessTokenStore.issue`."""
    place = select(ClientPositionRow.position).where(
        ClientPositionRow.client_id == authority.client_id, ClientPositionRow.resource == authority.resource
    )
    with database.transaction() as connection:
        found = connection.execute(CLIENT_ALONE, {"client_id": authority.client_id}).one_or_none()
        position = connection.scalar(place)
        if found is None or position is None or tuple(found.ceilings.get(authority.resource, ())) != ceiling:
            return None
        audit.record(connection, event)
    return position
