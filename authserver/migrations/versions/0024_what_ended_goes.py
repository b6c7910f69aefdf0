"""Indexes by which grants that ended and clients that were deleted are found once their time is over."""

from alembic import op

from authserver.migrations import online

revision = "0024"
down_revision = "0023"

MADE = {
    "ix_grants_revoked_at": ("grants", "revoked_at"),
    "ix_clients_deleted_at": ("clients", "deleted_at"),
}


def upgrade() -> None:
    for name, (table, column) in MADE.items():
        online.create_index(name, table, [column], f"{column} IS NOT NULL")


def downgrade() -> None:
    for name, (table, _) in MADE.items():
        op.drop_index(name, table)
