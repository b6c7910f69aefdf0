"""Register a client in one statement."""

import json
from typing import Any

from ...protocol.audit import Event
from ...protocol.client import Client
from .. import audit
from ..database import Database
from ..models.base import storable

STATEMENT = """
WITH registered AS (
    INSERT INTO clients
        (client_id, kind, name, redirect_uris, auth_method, grant_types, secret_digest, registration_digest, metadata,
         previous_secret_digest, previous_secret_until, jwks, jwks_uri, ceilings, created_at, pending_since)
    VALUES
        (%(client_id)s, %(kind)s, %(client_name)s, %(redirect_uris)s::json, %(auth_method)s, %(grant_types)s,
         %(secret_digest)s::bytea, %(registration_digest)s::bytea, %(metadata)s::json,
         %(previous_secret_digest)s::bytea, %(previous_secret_until)s::bigint, %(jwks)s::json, %(jwks_uri)s,
         %(ceilings)s::json, %(created_at)s::bigint, %(pending_since)s::bigint)
    RETURNING client_id
)
INSERT INTO audit_events (at_ms, name, actor, client_id, resource, outcome, address, correlation_id, detail)
SELECT floor(extract(epoch FROM statement_timestamp()) * 1000)::bigint, %(name)s, %(actor)s, client_id, %(resource)s,
       %(outcome)s, %(address)s, %(correlation_id)s, %(detail)s::json
FROM registered
RETURNING id
"""


def register(database: Database, client: Client, event: Event) -> None:
    """See `clients.ClientStore.register`."""
    about = {**audit.parameters(event), "resource": event.resource}
    database.at_once(STATEMENT, {**about, **_parameters(client)})


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
    }
