"""The console: sums per hour, how clients are grouped, and what they said of themselves before."""

import hashlib
import json
from urllib.parse import urlsplit

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

UNUSED = sa.text(
    "last_used_at IS NULL AND deleted_at IS NULL"
    " AND (kind = 'dynamic' OR (pending_since IS NOT NULL AND suspended_at IS NULL AND kind = 'metadata_document'))"
)
CLIENTS = sa.table(
    "clients",
    *(sa.column(name) for name in ("client_id", "name", "deleted_at")),
    sa.column("redirect_uris", sa.JSON),
    sa.column("likeness", sa.LargeBinary),
)
BATCH = 5000
SERIES = {
    "sign_ins": ("sign_in.succeeded",),
    "failures": ("sign_in.failed",),
    "tokens": ("code.redeemed", "token.refreshed", "token.issued"),
    "clients": ("client.registered", "client.discovered", "client.added"),
}
SHOWN_SECONDS = 31 * 86_400
# What is sealed already is counted here; what is not, when it is sealed.
COUNTED = """
INSERT INTO tallies (series, hour, times)
SELECT CASE {cases} END, at_ms / 3600000, count(*) FROM audit_events
WHERE name IN ({names}) AND at_ms >= ({now} - {seconds}) * 1000
  AND (xid, id) <= (SELECT last_xid, last_id FROM audit_seals ORDER BY number DESC LIMIT 1)
GROUP BY 1, 2
"""
CALLED = "INSERT INTO tallies (series, hour, times) SELECT 'calls', hour, sum(calls) FROM tool_hours GROUP BY hour"


def upgrade() -> None:
    op.create_table(
        "tallies",
        sa.Column("series", sa.Text, primary_key=True),
        sa.Column("hour", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("times", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_tallies_hour", "tallies", ["hour"])
    op.create_table(
        "censuses",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("counted_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "client_versions",
        sa.Column("client_id", sa.Text, sa.ForeignKey("clients.client_id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("event", "actor")),
        sa.Column("says", sa.JSON, nullable=False),
    )
    op.add_column("clients", sa.Column("likeness", sa.LargeBinary))
    _fill_likeness(op.get_bind())
    op.create_index("ix_clients_likeness", "clients", ["likeness", "created_at"])
    alike = ["likeness", "created_at", "client_id"]
    op.create_index("ix_clients_unused_alike", "clients", alike, postgresql_where=UNUSED, sqlite_where=UNUSED)
    _tally()


def downgrade() -> None:
    for name in ("unused_alike", "likeness"):
        op.drop_index(f"ix_clients_{name}", "clients")
    op.drop_column("clients", "likeness")
    op.drop_table("client_versions")
    op.drop_table("censuses")
    op.drop_table("tallies")


def _fill_likeness(connection: sa.Connection) -> None:
    key, after = CLIENTS.c.client_id, ""
    filled = sa.update(CLIENTS).where(key == sa.bindparam("of")).values(likeness=sa.bindparam("found"))
    wanted = sa.select(key, CLIENTS.c.name, CLIENTS.c.redirect_uris).where(CLIENTS.c.deleted_at.is_(None))
    while rows := connection.execute(wanted.where(key > after).order_by(key).limit(BATCH)).all():
        connection.execute(filled, [{"of": row.client_id, "found": _likeness(*row[1:])} for row in rows])
        after = rows[-1].client_id


def _likeness(name: str, redirect_uris: list[str]) -> bytes:
    return hashlib.sha256(json.dumps([name, sorted({_host(uri) for uri in redirect_uris})]).encode()).digest()


def _host(uri: str) -> str:
    try:
        parts = urlsplit(uri)
    except ValueError:
        return ""
    if parts.scheme in ("http", "https"):
        return parts.hostname or ""
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"


def _tally() -> None:
    now = {
        "postgresql": "floor(extract(epoch FROM statement_timestamp()))::bigint",
        "sqlite": "CAST(strftime('%s', 'now') AS INTEGER)",
    }[op.get_bind().dialect.name]
    cases = " ".join(f"WHEN name = '{name}' THEN '{series}'" for series, names in SERIES.items() for name in names)
    names = ", ".join(f"'{name}'" for of in SERIES.values() for name in of)
    op.execute(COUNTED.format(cases=cases, names=names, now=now, seconds=SHOWN_SECONDS))
    op.execute(CALLED)
