"""End a refresh family in one statement."""

from ...protocol.audit import Event
from .. import audit
from ..database import Database

STATEMENT = """
WITH ended AS (
    UPDATE refresh_families SET revoked_at = floor(extract(epoch FROM statement_timestamp()))::bigint
    WHERE id = %(family_id)s AND revoked_at IS NULL
    RETURNING grant_id, client_id, resource
), trail AS (
    INSERT INTO audit_events
        (at_ms, name, actor, user_id, client_id, resource, grant_id, outcome, address, correlation_id, detail)
    SELECT floor(extract(epoch FROM statement_timestamp()) * 1000)::bigint, %(name)s, %(actor)s,
           (SELECT user_id FROM grants WHERE id = grant_id), client_id, resource, grant_id, %(outcome)s,
           %(address)s, %(correlation_id)s, %(detail)s::json
    FROM ended
)
SELECT grant_id FROM ended
"""


def end_family(database: Database, family_id: str, event: Event) -> bool:
    """See `refresh_tokens.RefreshTokenStore.revoke_family`."""
    return (
        database.at_once(STATEMENT, {**audit.parameters(event), "family_id": family_id}, by=("family_id",)) is not None
    )
