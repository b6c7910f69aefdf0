"""The tool catalogue: risk, whose word it is, what waits for agreement, what the server claims, and since when."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

COLUMNS = ("risk", "word", "mark", "claim", "first_seen")
SINCE = (
    "UPDATE resource_tools SET first_seen = (SELECT created_at FROM resources WHERE id = resource_tools.resource_id)"
)


def upgrade() -> None:
    op.add_column("resource_tools", sa.Column("risk", sa.Text))
    op.add_column("resource_tools", sa.Column("word", sa.Text, nullable=False, server_default="administrator"))
    op.add_column("resource_tools", sa.Column("mark", sa.Text, nullable=False, server_default="agreed"))
    op.add_column("resource_tools", sa.Column("claim", sa.JSON))
    op.add_column("resource_tools", sa.Column("first_seen", sa.BigInteger))
    op.execute(SINCE)


def downgrade() -> None:
    for column in reversed(COLUMNS):
        op.drop_column("resource_tools", column)
