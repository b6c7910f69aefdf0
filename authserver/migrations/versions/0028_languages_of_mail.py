"""The language in which people last signed in, and in which a mail was asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0020"
TABLES = ("users", "letters")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("language", sa.Text))


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, "language")
