"""Redeem an authorization code in one statement.

``+ 0`` keeps the planner from the index by which expired codes are purged: the key finds the one.
"""

from typing import Any

from ...protocol.audit import Event
from ...protocol.authorization_code import Redeemed, Redemption
from .. import audit
from ..authority import authority
from ..database import Database

STATEMENT = """
WITH moment AS (
    SELECT floor(extract(epoch FROM statement_timestamp()))::bigint AS now,
           floor(extract(epoch FROM statement_timestamp()) * 1000)::bigint AS now_ms
), standing AS MATERIALIZED (
    SELECT user_id, redirect_host, scopes, tools, revoked_at, ends_at FROM grants
    WHERE id = (SELECT grant_id FROM authorization_codes WHERE digest = %(digest)s)
), ended AS (
    UPDATE authorization_codes AS code
    SET redeemed_at = moment.now,
        family_id = CASE
            WHEN code.challenge = %(challenge)s
             AND (%(redirect_uri)s::text IS NULL OR code.redirect_uri = %(redirect_uri)s::text)
            THEN %(family_id)s::text
        END
    FROM moment, standing
    WHERE code.digest = %(digest)s
      AND code.client_id = %(client_id)s
      AND code.redeemed_at IS NULL
      AND code.expires_at + 0 > moment.now
      AND (%(resource)s::text IS NULL OR code.resource = %(resource)s::text)
      AND standing.revoked_at IS NULL AND (standing.ends_at IS NULL OR standing.ends_at > moment.now)
      AND string_to_array(code.scopes, ' ') && string_to_array(standing.scopes, ' ')
      AND EXISTS (
          SELECT FROM users WHERE id = (SELECT user_id FROM standing) AND disabled_at IS NULL)
      AND EXISTS (
          SELECT FROM clients
          WHERE client_id = %(client_id)s AND suspended_at IS NULL AND deleted_at IS NULL AND pending_since IS NULL)
    RETURNING code.grant_id, code.client_id, code.resource, code.scopes, code.auth_time, code.methods,
              code.wants_refresh, code.family_id, standing.user_id, standing.redirect_host, standing.scopes AS held,
              standing.tools, standing.ends_at, moment.now, moment.now_ms
), family AS (
    INSERT INTO refresh_families
        (id, grant_id, client_id, resource, scopes, auth_time, methods, created_at, expires_at, status_position)
    SELECT family_id, grant_id, client_id, resource, scopes, auth_time, methods, now,
           now + %(family_lifetime)s::bigint, nextval('status_positions')
    FROM ended WHERE family_id IS NOT NULL
    RETURNING status_position
), token AS (
    INSERT INTO refresh_tokens (digest, family_id, created_at, expires_at)
    SELECT %(refresh_digest)s, family_id, now, now + least(%(refresh_lifetime)s::bigint, %(family_lifetime)s::bigint)
    FROM ended WHERE family_id IS NOT NULL AND wants_refresh
), trail AS (
    INSERT INTO audit_events
        (at_ms, name, actor, user_id, client_id, resource, grant_id, outcome, address, correlation_id, detail)
    SELECT now_ms, %(name)s, %(actor)s, user_id, client_id, resource, grant_id,
           CASE WHEN family_id IS NULL THEN 'refused' ELSE %(outcome)s END,
           %(address)s, %(correlation_id)s, %(detail)s::json
    FROM ended
)
SELECT user_id, client_id, redirect_host, grant_id, family_id, resource, scopes, held, tools, ends_at, auth_time,
       methods, wants_refresh, status_position
FROM ended, family
"""


def redeem(database: Database, attempt: Redemption, event: Event) -> Redeemed | None:
    """See `codes.CodeStore.redeem`."""
    found = database.at_once(STATEMENT, {**audit.parameters(event), **_parameters(attempt)}, by=("digest",))
    return Redeemed(authority(found), found.wants_refresh) if found else None


def _parameters(attempt: Redemption) -> dict[str, Any]:
    return {
        "digest": attempt.digest,
        "client_id": attempt.client_id,
        "redirect_uri": attempt.redirect_uri,
        "challenge": attempt.challenge,
        "resource": attempt.resource,
        "family_id": attempt.family_id,
        "refresh_digest": attempt.refresh_digest,
        "refresh_lifetime": attempt.refresh_lifetime,
        "family_lifetime": attempt.family_lifetime,
    }
