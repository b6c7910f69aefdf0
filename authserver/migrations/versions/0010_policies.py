"""Policy: rules in versions, groups of people, and what waits for an administrator."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

IN_FORCE = sa.text("approved <> ''")
OF_WEIGHT = sa.text("role <> 'member'")


def upgrade() -> None:
    op.create_table(
        "policy_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("people", sa.BigInteger, nullable=False),
    )
    op.execute("INSERT INTO policy_head (id, version, people) VALUES (1, 0, 0)")
    op.create_table(
        "policy_versions",
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("rules", sa.JSON, nullable=False),
        sa.Column("applied_at", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
    )
    op.create_table(
        "group_members",
        sa.Column("user_id", sa.Text, sa.ForeignKey("users.id"), primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
    )
    op.create_index("ix_group_members_name", "group_members", ["name"])
    texts = ("user_id", "client_id", "resource", "asked", "approved", "rule", "state")
    op.create_table(
        "pending_grants",
        sa.Column("id", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in texts),
        sa.Column("client_identity", sa.LargeBinary(32), nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("created_at", "expires_at")),
        sa.Column("decided_at", sa.BigInteger),
        sa.Column("decided_by", sa.Text),
    )
    op.create_index("uq_pending_grants_who", "pending_grants", ["user_id", "client_id", "resource"], unique=True)
    op.create_index("ix_pending_grants_state", "pending_grants", ["state", "created_at", "id"])
    for column in ("expires_at", "client_id", "resource"):
        op.create_index(f"ix_pending_grants_{column}", "pending_grants", [column])
    op.create_index(
        "ix_pending_grants_in_force",
        "pending_grants",
        ["created_at", "id"],
        postgresql_where=IN_FORCE,
        sqlite_where=IN_FORCE,
    )
    op.create_index("ix_users_of_weight", "users", ["id"], postgresql_where=OF_WEIGHT, sqlite_where=OF_WEIGHT)


def downgrade() -> None:
    op.drop_index("ix_users_of_weight", "users")
    for table in ("pending_grants", "group_members", "policy_versions", "policy_head"):
        op.drop_table(table)
