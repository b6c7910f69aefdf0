"""The language in which people last signed in, or a mail was asked for; and who is disabled with much left to end."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0020"
ENDING = sa.text("ending_since IS NOT NULL")


def upgrade() -> None:
    for table in ("users", "letters"):
        op.add_column(table, sa.Column("language", sa.Text))
    op.add_column("users", sa.Column("ending_since", sa.BigInteger))
    op.create_index("ix_users_ending_since", "users", ["ending_since"], postgresql_where=ENDING, sqlite_where=ENDING)


def downgrade() -> None:
    op.drop_index("ix_users_ending_since", "users")
    op.drop_column("users", "ending_since")
    for table in ("users", "letters"):
        op.drop_column(table, "language")
