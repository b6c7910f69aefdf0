"""What the access tokens for each MCP server are: JWTs, or opaque."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("resources", sa.Column("token_format", sa.Text, nullable=False, server_default="jwt"))


def downgrade() -> None:
    op.drop_column("resources", "token_format")
