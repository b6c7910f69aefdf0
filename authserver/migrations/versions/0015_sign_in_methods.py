"""By which methods a session's person signed in, and the addresses that mail reaches people at."""

import sqlalchemy as sa
from alembic import op

from authserver.migrations.online import add_column, create_index

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    add_column("sessions", sa.Column("methods", sa.Text, nullable=False, server_default="pwd"))
    add_column("users", sa.Column("email", sa.Text))
    add_column("users", sa.Column("email_verified_at", sa.BigInteger))
    create_index("uq_users_email", "users", ["email"], unique=True)


def downgrade() -> None:
    op.drop_index("uq_users_email", "users")
    op.drop_column("users", "email_verified_at")
    op.drop_column("users", "email")
    op.drop_column("sessions", "methods")
