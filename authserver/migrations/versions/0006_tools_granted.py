"""What people decide about single tools, the administrator's limits on them, and what guards ask people for."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

GUARDS = sa.text("kind = 'resource_server'")
NOW = {
    "postgresql": "SELECT floor(extract(epoch FROM statement_timestamp()))::bigint",
    "sqlite": "SELECT CAST(strftime('%s', 'now') AS INTEGER)",
}
CODES = (
    "UPDATE authorization_codes SET redeemed_at = :now WHERE redeemed_at IS NULL"
    " AND grant_id IN (SELECT id FROM grants WHERE tools IS NOT NULL)"
)
FAMILIES = (
    "UPDATE refresh_families SET revoked_at = :now WHERE revoked_at IS NULL"
    " AND grant_id IN (SELECT id FROM grants WHERE tools IS NOT NULL)"
)
CONSENTS = (
    "DELETE FROM consents WHERE tools IS NOT NULL OR EXISTS (SELECT 1 FROM grants"
    " WHERE grants.tools IS NOT NULL AND grants.revoked_at IS NULL AND grants.user_id = consents.user_id"
    " AND grants.client_id = consents.client_id AND grants.redirect_host = consents.redirect_host"
    " AND grants.resource = consents.resource)"
)
GRANTS = "UPDATE grants SET revoked_at = :now WHERE tools IS NOT NULL AND revoked_at IS NULL"


def upgrade() -> None:
    op.add_column("grants", sa.Column("tools", sa.Text))
    op.add_column("consents", sa.Column("tools", sa.Text))
    op.add_column("resource_tools", sa.Column("policy", sa.JSON))
    op.create_table(
        "tool_challenges",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("grant_id", sa.Text, nullable=False),
        sa.Column("tool", sa.Text, nullable=False),
        sa.Column("way", sa.JSON, nullable=False),
        sa.Column("once", sa.Boolean, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_tool_challenges_grant_id", "tool_challenges", ["grant_id"])
    op.create_index("ix_tool_challenges_expires_at", "tool_challenges", ["expires_at"])
    op.create_index("ix_clients_guards", "clients", ["client_id"], postgresql_where=GUARDS, sqlite_where=GUARDS)


def downgrade() -> None:
    _end_decided()
    op.drop_index("ix_clients_guards", "clients")
    op.drop_table("tool_challenges")
    op.drop_column("resource_tools", "policy")
    op.drop_column("consents", "tools")
    op.drop_column("grants", "tools")


def _end_decided() -> None:
    """End the grants that have decisions: without these they would open what their people refused."""
    connection = op.get_bind()
    now = connection.scalar(sa.text(NOW[connection.dialect.name]))
    connection.execute(sa.text(CONSENTS))
    for statement in (CODES, FAMILIES, GRANTS):
        connection.execute(sa.text(statement), {"now": now})
