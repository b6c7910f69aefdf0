"""Languages of people and mails, who is disabled with much left to end, grants by device."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
ENDING = sa.text("ending_since IS NOT NULL")
OF_SESSION = sa.text("session_digest IS NOT NULL")


def upgrade() -> None:
    for table in ("users", "letters"):
        op.add_column(table, sa.Column("language", sa.Text))
    op.add_column("users", sa.Column("ending_since", sa.BigInteger))
    op.create_index(
        "ix_grants_device_digest",
        "grants",
        ["device_digest"],
        postgresql_where=OF_SESSION,
        sqlite_where=OF_SESSION,
    )
    op.create_index("ix_users_ending_since", "users", ["ending_since"], postgresql_where=ENDING, sqlite_where=ENDING)


def downgrade() -> None:
    op.drop_index("ix_grants_device_digest", "grants")
    op.drop_index("ix_users_ending_since", "users")
    op.drop_column("users", "ending_since")
    for table in ("users", "letters"):
        op.drop_column(table, "language")
