"""Many clients, grants, events and what belongs to them, written by the database itself.

Not an even crowd: one client has a fifth of all grants, half of the grants have ended, the newest tenth of the clients
was deleted again (a flood, and the reaper), and most events are refreshes.
"""

import time
from dataclasses import dataclass
from typing import Self

from flask import Flask
from sqlalchemy import Connection, text

from authserver.protocol.credential import base64url
from authserver.store.database import Database
from authserver.store.engine import create

POPULAR = "https://popular.example/client.json"
RARE = 10  # events of the rarest kind, the oldest of all
LOADING = ("max_wal_size = '8GB'", "checkpoint_timeout = '30min'", "autovacuum = off")
SERIES = {
    "postgresql": "generate_series(1, {}) AS n(i)",
    "sqlite": "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT i FROM n) AS n",
}
DIGEST = {"postgresql": "sha256(cast('{}' || i AS bytea))", "sqlite": "randomblob(32)"}
DIGESTS = ("session", "device", "token", "secret", "likeness")
NOW = {"postgresql": "cast(extract(epoch FROM now()) AS bigint)", "sqlite": "unixepoch()"}


@dataclass(frozen=True, slots=True)
class Size:
    """How many of each there are."""

    clients: int
    grants: int
    events: int
    people: int
    calls: int
    attempts: int

    @classmethod
    def scaled(cls, scale: float) -> Self:
        """*scale* of what a large deployment has (issue 5): 1,000,000 clients, 2,000,000 grants, 20,000,000 events."""
        full = (1_000_000, 2_000_000, 20_000_000, 200_000, 1_000_000, 200_000)
        return cls(*(max(RARE, int(scale * each)) for each in full))


USERS = """INSERT INTO users (id, username, display_name, password_hash, role, created_at)
SELECT 'user-' || i, 'person' || i, 'Person ' || i, 'x', 'member', {now} - {people} + i FROM {series_people}"""
INVITATIONS = """INSERT INTO invitations (id, digest, username, display_name, role, email, mailed, invited_by,
    created_at, expires_at)
SELECT 'invitation-' || i, {digest_session}, 'guest' || i, 'Guest ' || i, 'member', 'guest' || i || '@example.com',
    true, 'system', {now} - i, {now} + 86400 FROM {series_people}"""
SESSIONS = """INSERT INTO sessions (digest, user_id, auth_time, created_at, last_seen_at, expires_at, address, agent)
SELECT {digest_session}, 'user-' || i, {now}, {now}, {now}, {now} + 86400, '192.0.2.1', 'Mozilla/5.0'
FROM {series_people}"""
CLIENTS = """INSERT INTO clients (client_id, kind, name, redirect_uris, auth_method, grant_types, ceilings, metadata,
    created_at, last_used_at, declared, pending_since, deleted_at, secret_digest, likeness)
SELECT CASE WHEN i = 1 THEN '{popular}' ELSE 'client-' || i END,
    CASE WHEN i = 1 THEN 'metadata_document' ELSE 'dynamic' END,
    CASE WHEN i % 3 = 0 THEN 'Editor ' ELSE 'Assistant ' END || i, '["http://127.0.0.1/callback"]', 'none',
    'authorization_code refresh_token', '{{}}', '{{}}', {now} - {clients} + i,
    CASE WHEN i % 4 = 0 THEN NULL ELSE {now} - 60 END, false,
    CASE WHEN i % 100 = 2 THEN {now} - 60 END,
    CASE WHEN i > {clients} - {clients} / 10 OR i % 20 = 19 THEN {now} END,
    CASE WHEN i % 4 = 1 THEN {digest_secret} END, {digest_likeness} FROM {series_clients}"""
GRANTS = """INSERT INTO grants (id, user_id, client_id, device_digest, redirect_host, resource, scopes, created_at,
    updated_at, revoked_at)
SELECT 'grant-' || i, 'user-' || (1 + i % {people}),
    CASE WHEN i % 5 = 0 OR i % {clients} = 0 THEN '{popular}' ELSE 'client-' || (1 + i % {clients}) END,
    {digest_device}, '127.0.0.1', CASE WHEN i % 10 = 0 THEN '{other}' ELSE '{resource}' END, 'notes:read',
    {now} - {grants} + i, {now}, CASE WHEN i % 2 = 1 THEN {now} - 30 END FROM {series_grants}"""
CONSENTS = """INSERT INTO consents (user_id, client_id, redirect_host, resource, scopes, decided_at, client_name,
    client_identity)
SELECT user_id, client_id, redirect_host, resource, 'notes:read', max(created_at), 'App', {no_digest}
FROM grants WHERE revoked_at IS NULL GROUP BY user_id, client_id, redirect_host, resource"""
FAMILIES = """INSERT INTO refresh_families (id, grant_id, client_id, resource, scopes, auth_time, created_at,
    expires_at, revoked_at, status_position)
SELECT 'family-' || substr(id, 7), id, client_id, resource, scopes, created_at, created_at, {now} + 8640000, revoked_at,
    cast(substr(id, 7) AS bigint) FROM grants WHERE id LIKE 'grant-%'"""
TOKENS = """INSERT INTO refresh_tokens (digest, family_id, created_at, expires_at)
SELECT {digest_token}, 'family-' || i, {now} - 600, {now} + 864000 FROM {series_grants}"""
EVENTS = """INSERT INTO audit_events (at_ms, name, actor, user_id, client_id, resource, grant_id, outcome, address,
    correlation_id, detail)
SELECT ({now} - 2000000) * 1000 + i * (2000000000 / {events}),
    CASE WHEN i <= {rare} THEN 'key.rotated' WHEN i % 50 = 0 THEN 'client.registered' WHEN i % 20 = 0
        THEN 'grant.approved' WHEN i % 10 = 0 THEN 'token.issued' ELSE 'token.refreshed' END,
    'client:client-' || (1 + i % {clients}),
    CASE WHEN i % 50 <> 0 THEN 'user-' || (1 + (i % {grants}) % {people}) END,
    CASE WHEN i % 5 = 0 THEN '{popular}' ELSE 'client-' || (1 + i % {clients}) END,
    '{resource}', CASE WHEN i % 50 <> 0 THEN 'grant-' || (1 + i % {grants}) END, 'success', '192.0.2.1',
    'c0ffee', '{{}}' FROM {series_events}"""
CALLS = """INSERT INTO tool_receipts (key, id, resource, at_ms, subject, client_id, family_id, grant_id, user_id, tool,
    arguments, outcome, refused, duration_ms, correlation_id)
SELECT 'key-' || i, 'call-' || i, '{resource}', {now} * 1000 - ({calls} - i) * 600, 'user-' || (1 + i % {people}),
    CASE WHEN i % 5 = 0 THEN '{popular}' ELSE 'client-' || (1 + i % {clients}) END,
    'family-' || (1 + i % {grants}), 'grant-' || (1 + i % {grants}), 'user-' || (1 + i % {people}), 'list_notes',
    '{{}}', 'ok', false, 12.5, 'c0ffee' FROM {series_calls}"""
HOURS = """INSERT INTO tool_hours (resource, tool, hour, calls, refused)
SELECT '{resource}', 'tool-' || (i % 50), {now} / 3600 - i / 50, 20, 1 FROM {series_hours}"""
TRACES = """INSERT INTO traces (id, client_id, user_id, grant_id, resource, address, agent, started_ms, last_ms, step,
    verdict, cause)
SELECT {trace}, 'client-' || (1 + i % {clients}), CASE WHEN i % 3 = 0 THEN 'user-' || (1 + i % {people}) END,
    NULL, '{resource}', '192.0.2.' || (i % 200), 'node', {now} * 1000 - ({attempts} - i) * 3000,
    {now} * 1000 - ({attempts} - i) * 3000 + 900, CASE WHEN i % 4 = 0 THEN 'discovery' ELSE 'authorization' END,
    CASE WHEN i % 10 = 0 THEN 'failed' ELSE 'ok' END, 'asked' FROM {series_attempts}"""
STEPS = """INSERT INTO trace_steps (trace_id, step, cause, times, first_ms, last_ms, address, agent, correlation_id,
    about)
SELECT {trace}, 'authorization', 'asked', 1, 0, 0, '192.0.2.1', 'node', 'step-' || i, '{{}}' FROM {series_attempts}"""
WANTED = """INSERT INTO pending_grants (id, user_id, client_id, client_identity, resource, asked, approved, rule, state,
    created_at, expires_at)
SELECT 'wanted-' || i, 'user-' || i, 'client-' || (1 + i % {clients}), {no_digest}, '{resource}', 'tool:write_note',
    CASE WHEN i % 2 = 0 THEN 'tool:write_note' ELSE '' END, 'a rule',
    CASE WHEN i % 2 = 0 THEN 'approved' ELSE 'waiting' END, {now} - i, {now} + 86400 FROM {series_people}"""
ALERTS = """INSERT INTO alerts (id, kind, resource, client_id, user_id, detail, raised_at, dismissed_at)
SELECT 'alert-' || i, 'many_calls', '{resource}', 'client-' || (1 + i % {clients}), 'user-' || (1 + i % {people}),
    '{{}}', {now} - i, CASE WHEN i % 3 <> 0 THEN {now} END FROM {series_people}"""
KNOWN = """SELECT client_id AS client, name, grants.id AS grant_id, user_id AS user_id, users.username AS username,
    grants.created_at AS moment, {hex} AS session, (SELECT max(id) / 2 FROM audit_events) AS event,
    (SELECT max(id) FROM traces) AS trace, (SELECT max(id) FROM alerts WHERE dismissed_at IS NULL) AS alert,
    (SELECT client_id FROM clients WHERE pending_since IS NOT NULL AND deleted_at IS NULL LIMIT 1) AS waiting,
    (SELECT client_id FROM clients WHERE secret_digest IS NOT NULL AND deleted_at IS NULL LIMIT 1) AS secretive,
    (SELECT max(id) FROM refresh_families) AS family, clients.likeness,
    (SELECT max(id) FROM invitations) AS invitation,
    (SELECT max(id) FROM pending_grants JOIN clients USING (client_id) WHERE deleted_at IS NULL) AS wanted
FROM grants JOIN clients USING (client_id) JOIN users ON users.id = user_id JOIN sessions USING (user_id)
WHERE revoked_at IS NULL AND deleted_at IS NULL AND kind = 'dynamic' ORDER BY grants.created_at LIMIT 1 OFFSET 1"""
FILLED = (
    USERS,
    INVITATIONS,
    SESSIONS,
    CLIENTS,
    GRANTS,
    CONSENTS,
    FAMILIES,
    TOKENS,
    EVENTS,
    CALLS,
    HOURS,
    TRACES,
    STEPS,
    WANTED,
    ALERTS,
)
LARGE = ("audit_events", "clients", "consents", "grants", "refresh_families", "refresh_tokens", "tool_receipts")


def load(reached: Database, size: Size, resource: str, other: str) -> float:
    """`fill` a PostgreSQL database and have the server look at it, as it does by itself; returns the seconds it took.

    This goes over connections of its own, since with 10,000,000 rows a statement takes longer than a server lets one.
    """
    began = time.monotonic()
    database = Database(create(reached.engine.url.render_as_string(hide_password=False)))
    try:
        _set(database, *(f"SET {setting}" for setting in LOADING))
        with database.transaction() as connection:
            fill(connection, size, resource, other)
        _alone(database, "VACUUM ANALYZE")
        _alone(database, "CHECKPOINT")
    finally:
        _set(database, "RESET ALL")
        database.close()
    return time.monotonic() - began


def fill(connection: Connection, size: Size, resource: str, other: str) -> None:
    """Write a crowd of that *size* into an empty database in the connection's transaction.

    Grants are for the MCP servers *resource* and, a tenth of them, *other*.
    """
    on_postgresql = connection.dialect.name == "postgresql"
    if on_postgresql:
        _write_fast(connection)
    indexes = _without_indexes(connection) if on_postgresql else []
    words = _words(connection.dialect.name, size, resource, other)
    for statement in FILLED:
        connection.exec_driver_sql(statement.format(**words).replace("%", "%%" if on_postgresql else "%"))
    for definition in indexes:
        connection.execute(text(definition))


def known(app: Flask, resource: str) -> dict[str, object]:
    """What pages are opened about, by its name in `visits.QUERIES`: one of each, neither the newest nor the oldest."""
    database = app.extensions["authserver"].stores.database
    hexadecimal = "encode(sessions.digest, 'hex')" if database.dialect == "postgresql" else "lower(hex(digest))"
    with database.reading() as connection:
        found = connection.execute(text(KNOWN.format(hex=hexadecimal))).one()._asdict()
    kid = app.extensions["authserver"].stores.keys.all()[0].kid
    return {**found, "kid": kid, "likeness": base64url(found["likeness"]), "popular": POPULAR, "resource": resource}


def _set(database: Database, *changes: str) -> None:
    for change in changes:
        _alone(database, f"ALTER SYSTEM {change}")
    _alone(database, "SELECT pg_reload_conf()")


def _alone(database: Database, statement: str) -> None:
    with database.reading() as connection:
        connection.execute(text(statement))


def _words(dialect: str, size: Size, resource: str, other: str) -> dict[str, object]:
    counts = {name: getattr(size, name) for name in size.__slots__}
    lengths = {**counts, "hours": 50 * 24 * 7}
    return {
        **counts,
        **{f"series_{name}": SERIES[dialect].format(count) for name, count in lengths.items()},
        **{f"digest_{name}": DIGEST[dialect].format(name) for name in DIGESTS},
        "no_digest": "cast('' AS bytea)" if dialect == "postgresql" else "x''",
        "now": NOW[dialect],
        "trace": "substr(CAST(10000000000 + i AS text), 2, 5) || '-' || substr(CAST(10000000000 + i AS text), 7)",
        "popular": POPULAR,
        "rare": RARE,
        "resource": resource,
        "other": other,
    }


def _write_fast(connection: Connection) -> None:
    """Without foreign keys and triggers, which hold here by construction."""
    for setting in ("session_replication_role = replica", "maintenance_work_mem = '1GB'", "work_mem = '256MB'"):
        connection.execute(text(f"SET LOCAL {setting}"))


def _without_indexes(connection: Connection) -> list[str]:
    """Drop the indexes of the large tables, but for keys; returns how each is made again."""
    found = connection.execute(
        text(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(:large)"
            " AND indexname NOT LIKE 'pk!_%' ESCAPE '!'"
        ),
        {"large": list(LARGE)},
    ).all()
    for name, _ in found:
        connection.execute(text(f"DROP INDEX {name}"))
    return [definition.replace(" ON ONLY ", " ON ") for _, definition in found]  # with the partitions' own
