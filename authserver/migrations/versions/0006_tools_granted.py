"""What people decide about single tools, the administrator's limits on them, and what guards ask people for."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

GUARDS = sa.text("kind = 'resource_server'")


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
    op.drop_index("ix_clients_guards", "clients")
    op.drop_table("tool_challenges")
    op.drop_column("resource_tools", "policy")
    op.drop_column("consents", "tools")
    op.drop_column("grants", "tools")
