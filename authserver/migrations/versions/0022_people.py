"""Languages of people and mails, who is disabled with much left to end, grants by device."""

import sqlalchemy as sa
from alembic import op

from authserver.migrations.online import add_column, create_index

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    for table in ("users", "letters"):
        add_column(table, sa.Column("language", sa.Text))
    add_column("users", sa.Column("ending_since", sa.BigInteger))
    create_index("ix_grants_device_digest", "grants", ["device_digest"], "session_digest IS NOT NULL")
    create_index("ix_users_ending_since", "users", ["ending_since"], "ending_since IS NOT NULL")


def downgrade() -> None:
    op.drop_index("ix_grants_device_digest", "grants")
    op.drop_index("ix_users_ending_since", "users")
    op.drop_column("users", "ending_since")
    for table in ("users", "letters"):
        op.drop_column(table, "language")
