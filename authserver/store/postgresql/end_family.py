"""End a refresh family, by its id or by one of its tokens, in one statement."""

from ...protocol.audit import Event
from .. import audit
from ..database import Database

# Of two that end one family the second finds it ended, or locked by the first, and waits for nobody.
PRESENTED = """
id = (SELECT family.id FROM refresh_tokens AS token JOIN refresh_families AS family ON family.id = token.family_id
      WHERE token.digest = %(digest)s AND family.client_id = %(client_id)s AND family.revoked_at IS NULL
      FOR NO KEY UPDATE OF family SKIP LOCKED)
"""
STATEMENT = """
WITH ended AS (
    UPDATE refresh_families SET revoked_at = floor(extract(epoch FROM statement_timestamp()))::bigint
    WHERE {which} AND revoked_at IS NULL
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
BY_ID = STATEMENT.format(which="id = %(family_id)s")
BY_DIGEST = STATEMENT.format(which=PRESENTED)


def end_family(database: Database, family_id: str, event: Event) -> bool:
    """See `refresh_tokens.RefreshTokenStore.revoke_family`."""
    return database.at_once(BY_ID, {**audit.parameters(event), "family_id": family_id}, by=("family_id",)) is not None


def end_family_of(database: Database, digest: bytes, client_id: str, event: Event) -> bool:
    """See `refresh_tokens.RefreshTokenStore.revoke`; False also for one that somebody else has locked."""
    sought = {**audit.parameters(event), "digest": digest, "client_id": client_id}
    return database.at_once(BY_DIGEST, sought, by=()) is not None
