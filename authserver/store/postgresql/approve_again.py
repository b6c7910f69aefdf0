"""Save a code under a grant of which a decision changes nothing, in one statement.

Whoever has allowed an app for good signs in to it again and again. Where what they decide now is what grant and consent
say already, to the letter, there is only the code to write; where nobody was asked, the grant alone has to say it. On
a miss nothing was done.
"""

from ...protocol import tool_permission
from ...protocol.audit import Event
from ...protocol.authorization_code import NewCode
from .. import audit
from ..approval import CLIENT_USE_SECONDS, Approval
from ..database import Database

STATEMENT = f"""
WITH moment AS (
    SELECT floor(extract(epoch FROM statement_timestamp()))::bigint AS now,
           floor(extract(epoch FROM statement_timestamp()) * 1000)::bigint AS now_ms
), acting AS MATERIALIZED (
    SELECT client_id FROM clients
    WHERE client_id = %(client_id)s AND suspended_at IS NULL AND deleted_at IS NULL AND pending_since IS NULL
    FOR KEY SHARE
), held AS (
    UPDATE grants AS standing SET updated_at = moment.now
    FROM moment, acting
    WHERE standing.id = %(grant_id)s
      AND standing.revoked_at IS NULL AND standing.ends_at IS NULL
      AND standing.user_id = %(user_id)s AND standing.client_id = acting.client_id
      AND standing.device_digest = %(device_digest)s
      AND standing.redirect_host = %(redirect_host)s AND standing.resource = %(resource)s
      AND string_to_array(%(approved)s::text, ' ') <@ string_to_array(standing.scopes, ' ')
      AND (%(tools)s::text IS NULL OR standing.tools = %(tools)s::text)
      AND (%(session)s::bytea IS NULL
           OR EXISTS (SELECT FROM sessions WHERE digest = %(session)s::bytea AND ended_at IS NULL))
      AND (%(silent)s::boolean OR EXISTS (
          SELECT FROM consents
          WHERE user_id = %(user_id)s AND client_id = %(client_id)s
            AND redirect_host = %(redirect_host)s AND resource = %(resource)s
            AND client_name = %(client_name)s AND client_identity = %(client_identity)s
            AND string_to_array(%(approved)s::text, ' ') <@ string_to_array(scopes, ' ')
            AND (%(tools)s::text IS NULL OR tools = %(tools)s::text)))
    RETURNING standing.id, moment.now, moment.now_ms
), code AS (
    INSERT INTO authorization_codes
        (digest, grant_id, client_id, redirect_uri, challenge, resource, scopes, auth_time, methods, wants_refresh,
         created_at, expires_at)
    SELECT %(digest)s, id, %(client_id)s, %(redirect_uri)s, %(challenge)s, %(resource)s, %(scopes)s, %(auth_time)s,
           %(methods)s, %(wants_refresh)s::boolean, now, now + %(lifetime)s::bigint
    FROM held
    ON CONFLICT DO NOTHING
    RETURNING grant_id
), used AS (
    UPDATE clients SET last_used_at = stale.now
    FROM code, (
        SELECT known.client_id, moment.now FROM clients AS known, moment
        WHERE known.client_id = %(client_id)s
          AND (known.last_used_at IS NULL OR known.last_used_at <= moment.now - {CLIENT_USE_SECONDS})
        FOR NO KEY UPDATE OF known SKIP LOCKED
    ) AS stale
    WHERE clients.client_id = stale.client_id
), trail AS (
    INSERT INTO audit_events
        (at_ms, name, actor, user_id, client_id, resource, grant_id, outcome, address, correlation_id, detail)
    SELECT now_ms, %(name)s, %(actor)s, %(user_id)s, %(client_id)s, %(resource)s, grant_id, %(outcome)s,
           %(address)s, %(correlation_id)s, %(detail)s::json
    FROM moment, code
)
SELECT grant_id FROM code
"""  # noqa: S608 - of constants


def approve_again(database: Database, approval: Approval, code: NewCode, event: Event) -> bool:
    """Whether this device's grant and the consent behind it say what *approval* says, so that *code* was saved.

    Not in a session that has ended.
    """
    tools = None if approval.permissions is None else tool_permission.written(approval.unasked)
    here = {**approval.place, "device_digest": approval.device_digest, "grant_id": approval.kept, "tools": tools}
    here["approved"] = " ".join(approval.approved)
    here["session"] = approval.session.digest if approval.session else None
    here["silent"] = "true" if approval.silent else "false"
    known_as = {"client_name": approval.client_name, "client_identity": approval.client_identity}
    issued = {
        "digest": code.digest,
        "redirect_uri": code.redirect_uri,
        "challenge": code.challenge,
        "scopes": " ".join(code.scopes),
        "auth_time": code.auth_time,
        "methods": " ".join(code.methods),
        "wants_refresh": "true" if code.wants_refresh else "false",
        "lifetime": code.lifetime,
    }
    return (
        database.at_once(STATEMENT, {**audit.parameters(event), **here, **known_as, **issued}, by=("grant_id",))
        is not None
    )
