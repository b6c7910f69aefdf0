"""Issue a token to a client for itself, as the only writer."""

from ...protocol.access_token import ClientAuthority
from ...protocol.audit import Event
from .. import audit
from ..authority import CLIENT_ALONE
from ..database import Database


def issue(database: Database, authority: ClientAuthority, ceiling: tuple[str, ...], event: Event) -> bool:
    """See `access_tokens.AccessTokenStore.issue`."""
    with database.transaction() as connection:
        found = connection.execute(CLIENT_ALONE, {"client_id": authority.client_id}).one_or_none()
        if found is None or tuple(found.ceilings.get(authority.resource, ())) != ceiling:
            return False
        audit.record(connection, event)
    return True
