"""Browsers that stay signed in, those that are known, and what has a session begin anew."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.create_table(
        "remembered_browsers",
        sa.Column("digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("secret", sa.LargeBinary(32), nullable=False),
        sa.Column("previous", sa.LargeBinary(32)),
        sa.Column("user_id", sa.Text, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("auth_time", sa.BigInteger, nullable=False),
        sa.Column("methods", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("used_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
    )
    for column in ("user_id", "expires_at"):
        op.create_index(f"ix_remembered_browsers_{column}", "remembered_browsers", [column])
    op.create_table(
        "known_browsers",
        sa.Column("digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_known_browsers_seen_at", "known_browsers", ["seen_at"])
    op.add_column("sessions", sa.Column("remembered", sa.LargeBinary(32)))
    op.add_column("sessions", sa.Column("recalled", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("sessions", sa.Column("role", sa.Text))


def downgrade() -> None:
    for column in ("role", "recalled", "remembered"):
        op.drop_column("sessions", column)
    for table in ("known_browsers", "remembered_browsers"):
        op.drop_table(table)
