"""Roles: who was an administrator is an owner now; and which program a session was opened with."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

OWNERS = sa.text("role = 'owner'")
RAISED = "UPDATE users SET role = CASE role WHEN 'admin' THEN 'owner' ELSE 'member' END"
LOWERED = "UPDATE users SET role = CASE role WHEN 'owner' THEN 'admin' ELSE 'user' END"


def upgrade() -> None:
    op.execute(RAISED)
    op.create_index("ix_users_owners", "users", ["id"], postgresql_where=OWNERS, sqlite_where=OWNERS)
    op.add_column("sessions", sa.Column("agent", sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    """Whoever was less than an owner has no console: the old one knew no limits."""
    op.drop_column("sessions", "agent")
    op.drop_index("ix_users_owners", "users")
    op.execute(LOWERED)
