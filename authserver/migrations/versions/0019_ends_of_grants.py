"""How long grants last: until a moment, or as long as a browser session."""

import sqlalchemy as sa
from alembic import op

from authserver.migrations import online

revision = "0019"
down_revision = "0018"

ADDED = {"postgresql": "IF NOT EXISTS session_digest BYTEA", "sqlite": "session_digest BLOB"}
# Alembic would add the constraint by a statement of its own, which SQLite has not.
HUNG_ON = (
    "ALTER TABLE grants ADD COLUMN {} CONSTRAINT fk_grants_session_digest"
    " REFERENCES sessions (digest) ON UPDATE CASCADE ON DELETE SET NULL"
)
WHICH = {"ends_at": "revoked_at IS NULL AND ends_at IS NOT NULL", "session_digest": "session_digest IS NOT NULL"}
NOW = {
    "postgresql": "SELECT floor(extract(epoch FROM statement_timestamp()))::bigint",
    "sqlite": "SELECT CAST(strftime('%s', 'now') AS INTEGER)",
}
CODES = (
    "UPDATE authorization_codes SET redeemed_at = :now WHERE redeemed_at IS NULL"
    " AND grant_id IN (SELECT id FROM grants WHERE revoked_at IS NULL AND ends_at IS NOT NULL)"
)
FAMILIES = (
    "UPDATE refresh_families SET revoked_at = :now WHERE revoked_at IS NULL"
    " AND grant_id IN (SELECT id FROM grants WHERE revoked_at IS NULL AND ends_at IS NOT NULL)"
)
GRANTS = "UPDATE grants SET revoked_at = :now WHERE revoked_at IS NULL AND ends_at IS NOT NULL"


def upgrade() -> None:
    online.add_column("grants", sa.Column("ends_at", sa.BigInteger))
    op.execute(HUNG_ON.format(ADDED[op.get_bind().dialect.name]))
    for column, which in WHICH.items():
        online.create_index(f"ix_grants_{column}", "grants", [column], which)


def downgrade() -> None:
    _end_those_that_end()
    for column in WHICH:
        op.drop_index(f"ix_grants_{column}", "grants")
        op.drop_column("grants", column)


def _end_those_that_end() -> None:
    """End the grants that end by themselves: the older schema would let them last until somebody ends them."""
    connection = op.get_bind()
    now = connection.scalar(sa.text(NOW[connection.dialect.name]))
    for statement in (CODES, FAMILIES, GRANTS):
        connection.execute(sa.text(statement), {"now": now})
