"""Rotate a refresh token in one statement.

``+ 0`` keeps the planner from the index by which expired tokens are purged: the key finds the one.
"""

from typing import Any

from ...protocol.access_token import Authority
from ...protocol.audit import Event
from ...protocol.refresh_token import Rotation
from .. import audit
from ..authority import authority
from ..database import Database

STATEMENT = """
WITH moment AS (
    SELECT floor(extract(epoch FROM statement_timestamp()))::bigint AS now,
           floor(extract(epoch FROM statement_timestamp()) * 1000)::bigint AS now_ms
), family AS MATERIALIZED (
    SELECT grant_id, client_id, resource, scopes, auth_time, methods, expires_at, revoked_at, status_position
    FROM refresh_families WHERE id = (SELECT family_id FROM refresh_tokens WHERE digest = %(digest)s)
), standing AS MATERIALIZED (
    SELECT user_id, redirect_host, scopes, tools, revoked_at, ends_at FROM grants
    WHERE id = (SELECT grant_id FROM family)
), used AS (
    UPDATE refresh_tokens AS token
    SET rotated_at = moment.now, successor_digest = %(successor_digest)s, sealed = NULL
    FROM moment, family, standing
    WHERE token.digest = %(digest)s
      AND token.rotated_at IS NULL
      AND token.expires_at + 0 > moment.now
      AND family.revoked_at IS NULL AND family.expires_at > moment.now
      AND family.client_id = %(client_id)s
      AND (%(resource)s::text IS NULL OR family.resource = %(resource)s::text)
      AND standing.revoked_at IS NULL AND (standing.ends_at IS NULL OR standing.ends_at > moment.now)
      AND string_to_array(family.scopes, ' ') && string_to_array(standing.scopes, ' ')
      AND EXISTS (
          SELECT FROM users WHERE id = (SELECT user_id FROM standing) AND disabled_at IS NULL)
      AND EXISTS (
          SELECT FROM clients
          WHERE client_id = %(client_id)s AND suspended_at IS NULL AND deleted_at IS NULL AND pending_since IS NULL)
    RETURNING token.family_id, family.client_id, family.resource, family.scopes, family.auth_time,
              family.methods, family.expires_at, family.status_position, family.grant_id, standing.user_id,
              standing.redirect_host, standing.scopes AS held, standing.tools, standing.ends_at,
              moment.now, moment.now_ms
), successor AS (
    INSERT INTO refresh_tokens (digest, family_id, created_at, expires_at, sealed)
    SELECT %(successor_digest)s, family_id, now, least(now + %(lifetime)s::bigint, expires_at), %(sealed_successor)s
    FROM used
), trail AS (
    INSERT INTO audit_events
        (at_ms, name, actor, user_id, client_id, resource, grant_id, outcome, address, correlation_id, detail)
    SELECT now_ms, %(name)s, %(actor)s, user_id, client_id, resource, grant_id, %(outcome)s,
           %(address)s, %(correlation_id)s, %(detail)s::json
    FROM used
)
SELECT user_id, client_id, redirect_host, grant_id, family_id, resource, scopes, held, tools, ends_at, auth_time,
       methods, status_position
FROM used
"""


def rotate(database: Database, attempt: Rotation, event: Event) -> Authority | None:
    """See `refresh_tokens.RefreshTokenStore.rotate`."""
    found = database.at_once(STATEMENT, {**audit.parameters(event), **_parameters(attempt)}, by=("digest",))
    return authority(found) if found else None


def _parameters(attempt: Rotation) -> dict[str, Any]:
    return {
        "digest": attempt.digest,
        "client_id": attempt.client_id,
        "resource": attempt.resource,
        "successor_digest": attempt.successor_digest,
        "sealed_successor": attempt.sealed_successor,
        "lifetime": attempt.lifetime,
    }
