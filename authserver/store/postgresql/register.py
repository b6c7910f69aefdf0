"""Register a client, using up the token that admits it, in one statement."""

import json
from typing import Any

from ...protocol.audit import Event
from ...protocol.client import Client
from .. import audit
from ..database import Database
from ..models.base import storable

STATEMENT = """
WITH moment AS (
    SELECT floor(extract(epoch FROM statement_timestamp()))::bigint AS now,
           floor(extract(epoch FROM statement_timestamp()) * 1000)::bigint AS now_ms
), admitted AS (
    UPDATE initial_access_tokens AS ticket
    SET uses_left = uses_left - 1
    FROM moment
    WHERE ticket.digest = %(ticket)s::bytea
      AND ticket.revoked_at IS NULL
      AND (ticket.expires_at IS NULL OR ticket.expires_at > moment.now)
      AND (ticket.uses_left IS NULL OR ticket.uses_left > 0)
    RETURNING ticket.id
), registered AS (
    INSERT INTO clients
        (client_id, kind, name, redirect_uris, auth_method, grant_types, secret_digest, registration_digest, metadata,
         previous_secret_digest, previous_secret_until, jwks, jwks_uri, ceilings, created_at, pending_since,
         fingerprint, likeness)
    SELECT
        %(client_id)s::text, %(kind)s::text, %(client_name)s::text, %(redirect_uris)s::json, %(auth_method)s::text,
        %(grant_types)s::text, %(secret_digest)s::bytea, %(registration_digest)s::bytea, %(metadata)s::json,
        %(previous_secret_digest)s::bytea, %(previous_secret_until)s::bigint, %(jwks)s::json, %(jwks_uri)s::text,
        %(ceilings)s::json, %(created_at)s::bigint, %(pending_since)s::bigint, %(fingerprint)s::bytea,
        %(likeness)s::bytea
    WHERE %(ticket)s::bytea IS NULL OR EXISTS (SELECT FROM admitted)
    ON CONFLICT (fingerprint) WHERE fingerprint IS NOT NULL AND deleted_at IS NULL
        DO UPDATE SET created_at = excluded.created_at
    RETURNING client_id
)
INSERT INTO audit_events (at_ms, name, actor, client_id, resource, outcome, address, correlation_id, detail)
SELECT now_ms, %(name)s, replace(%(actor)s, %(client_id)s, client_id), client_id, %(resource)s,
       %(outcome)s, %(address)s, %(correlation_id)s, %(detail)s::json
FROM registered, moment
RETURNING client_id
"""


def register(
    database: Database, client: Client, event: Event, *, ticket: bytes | None, fingerprint: bytes | None
) -> str | None:
    """See `clients.ClientStore.register`."""
    about = {**audit.parameters(event), "resource": event.resource, "ticket": ticket, "fingerprint": fingerprint}
    # Rows in two tables know no order in which two transactions would never wait for each other.
    by = ("fingerprint",) if ticket is None else None
    found = database.at_once(STATEMENT, {**about, **_parameters(client)}, by=by)
    return str(found.client_id) if found else None


def _parameters(client: Client) -> dict[str, Any]:
    return {
        "client_id": client.client_id,
        "kind": client.kind,
        "client_name": storable(client.name),
        "redirect_uris": json.dumps(client.redirect_uris),
        "auth_method": client.auth_method,
        "grant_types": " ".join(client.grant_types),
        "secret_digest": client.secret_digest,
        "registration_digest": client.registration_digest,
        "metadata": json.dumps(client.metadata),
        "previous_secret_digest": client.previous_secret_digest,
        "previous_secret_until": client.previous_secret_until,
        "jwks": json.dumps(client.jwks) if client.jwks else None,
        "jwks_uri": client.jwks_uri,
        "ceilings": json.dumps(client.ceilings),
        "created_at": client.created_at,
        "pending_since": client.created_at if client.pending else None,
        "likeness": client.likeness,
    }
