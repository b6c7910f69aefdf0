"""Answers of the API to requests with an ``Idempotency-Key``."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "api_answers",
        sa.Column("digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("fingerprint", sa.LargeBinary(32), nullable=False),
        sa.Column("answer", sa.LargeBinary),
        sa.Column("begun_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_api_answers_begun_at", "api_answers", ["begun_at"])


def downgrade() -> None:
    op.drop_table("api_answers")
