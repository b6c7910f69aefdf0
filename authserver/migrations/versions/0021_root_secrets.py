"""Root secrets, under which all is sealed; when a key was withdrawn; the algorithm that a resource chose."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.create_table(
        "root_secrets",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.Column("kek", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.add_column("signing_keys", sa.Column("withdrawn_at", sa.BigInteger))
    op.add_column("resources", sa.Column("signing_algorithm", sa.Text))


def downgrade() -> None:
    op.drop_column("resources", "signing_algorithm")
    op.drop_column("signing_keys", "withdrawn_at")
    op.drop_table("root_secrets")
