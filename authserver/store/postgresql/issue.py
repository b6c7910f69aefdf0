"""Issue a token to a client for itself, in one statement."""

import json

from ...protocol.access_token import ClientAuthority
from ...protocol.audit import Event
from .. import audit
from ..database import Database

STATEMENT = """
WITH place AS MATERIALIZED (
    SELECT position FROM client_positions WHERE client_id = %(client_id)s AND resource = %(resource)s::text
), trail AS (
    INSERT INTO audit_events (at_ms, name, actor, client_id, resource, outcome, address, correlation_id, detail)
    SELECT floor(extract(epoch FROM statement_timestamp()) * 1000)::bigint, %(name)s, %(actor)s, client_id,
           %(resource)s::text, %(outcome)s, %(address)s, %(correlation_id)s, %(detail)s::json
    FROM clients, place
    WHERE client_id = %(client_id)s
      AND suspended_at IS NULL AND deleted_at IS NULL AND pending_since IS NULL
      AND kind = 'preregistered' AND auth_method <> 'none'
      AND 'client_credentials' = ANY (string_to_array(grant_types, ' '))
      AND (ceilings -> %(resource)s::text)::jsonb = %(ceiling)s::jsonb
    RETURNING id
)
SELECT position FROM place, trail
"""


def issue(database: Database, authority: ClientAuthority, ceiling: tuple[str, ...], event: Event) -> int | None:
    """See `access_tokens.AccessTokenStore.issue`."""
    about = {"client_id": authority.client_id, "resource": authority.resource, "ceiling": json.dumps(ceiling)}
    found = database.at_once(STATEMENT, {**audit.parameters(event), **about}, by=())
    return int(found.position) if found else None
