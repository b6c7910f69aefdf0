"""Second factors, recovery codes, sign-ins that wait for one, and by which methods tokens were allowed."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "factors",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("user_id", sa.Text, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("secret", sa.LargeBinary, nullable=False),
        sa.Column("credential_id", sa.LargeBinary),
        sa.Column("counter", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("confirmed_at", sa.BigInteger),
        sa.Column("last_used_at", sa.BigInteger),
    )
    op.create_index("ix_factors_user_id", "factors", ["user_id"])
    op.create_index("uq_factors_credential_id", "factors", ["credential_id"], unique=True)
    op.create_table(
        "recovery_codes",
        sa.Column("digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("user_id", sa.Text, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("used_at", sa.BigInteger),
    )
    op.create_index("ix_recovery_codes_user_id", "recovery_codes", ["user_id"])
    op.create_table(
        "half_sign_ins",
        sa.Column("digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("user_id", sa.Text, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("methods", sa.Text, nullable=False),
        sa.Column("auth_time", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    for column in ("user_id", "expires_at"):
        op.create_index(f"ix_half_sign_ins_{column}", "half_sign_ins", [column])
    for table in ("authorization_codes", "refresh_families"):
        op.add_column(table, sa.Column("methods", sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    for table in ("authorization_codes", "refresh_families"):
        op.drop_column(table, "methods")
    for table in ("half_sign_ins", "recovery_codes", "factors"):
        op.drop_table(table)
