"""Who the client is: keys, ceilings and approval of clients, fetched documents, and policies of registration."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

TABLES = ("used_assertions", "initial_access_tokens", "fetched_documents", "domain_policies", "ended_positions")
CLIENT_COLUMNS = (
    "previous_secret_digest", "previous_secret_until", "jwks", "jwks_uri", "ceilings", "declared", "pending_since",
    "fingerprint",
)  # fmt: skip
DYNAMIC = "deleted_at IS NULL AND kind = 'dynamic'"
WAITING_DOCUMENT = "pending_since IS NOT NULL AND suspended_at IS NULL AND kind = 'metadata_document'"
CLIENT_INDEXES = {
    "ix_clients_pending_since": ("pending_since", "pending_since IS NOT NULL"),
    "ix_clients_unused": (
        "created_at",
        f"last_used_at IS NULL AND deleted_at IS NULL AND (kind = 'dynamic' OR ({WAITING_DOCUMENT}))",
    ),
    "ix_clients_idle": ("last_used_at", f"last_used_at IS NOT NULL AND {DYNAMIC}"),
    "uq_clients_shared": ("fingerprint", "fingerprint IS NOT NULL AND deleted_at IS NULL"),
}


def upgrade() -> None:
    op.add_column("clients", sa.Column("previous_secret_digest", sa.LargeBinary(32)))
    op.add_column("clients", sa.Column("previous_secret_until", sa.BigInteger))
    op.add_column("clients", sa.Column("jwks", sa.JSON))
    op.add_column("clients", sa.Column("jwks_uri", sa.Text))
    op.add_column("clients", sa.Column("ceilings", sa.JSON, nullable=False, server_default="{}"))
    op.add_column("clients", sa.Column("declared", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("clients", sa.Column("pending_since", sa.BigInteger))
    op.add_column("clients", sa.Column("fingerprint", sa.LargeBinary(32)))
    for name, (column, which) in CLIENT_INDEXES.items():
        _partial_index(name, column, sa.text(which))
    op.create_index("ix_consents_client_id", "consents", ["client_id"])
    _status()
    op.create_table(
        "used_assertions",
        sa.Column("digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_used_assertions_expires_at", "used_assertions", ["expires_at"])
    op.create_table(
        "initial_access_tokens",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("digest", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("uses_left", sa.Integer),
        sa.Column("revoked_at", sa.BigInteger),
    )
    op.create_table(
        "fetched_documents",
        sa.Column("url", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text) for name in ("body", "etag", "last_modified", "failure")),
        *(
            sa.Column(name, sa.BigInteger)
            for name in ("fetched_at", "fresh_until", "failed_at", "retry_at", "leased_until")
        ),
        sa.Column("pinned", sa.Boolean, nullable=False),
    )
    op.create_table(
        "domain_policies",
        sa.Column("domain", sa.Text, primary_key=True),
        sa.Column("decision", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    op.drop_index("ix_consents_client_id", "consents")
    _drop_status()
    for name in CLIENT_INDEXES:
        op.drop_index(name, "clients")
    for column in reversed(CLIENT_COLUMNS):
        op.drop_column("clients", column)


def _partial_index(name: str, column: str, which: sa.TextClause) -> None:
    unique = name.startswith("uq_")
    op.create_index(name, "clients", [column], unique=unique, postgresql_where=which, sqlite_where=which)


def _status() -> None:
    """Where each family stands on its status list, and which places have ended."""
    postgresql = op.get_bind().dialect.name == "postgresql"
    op.add_column("refresh_families", sa.Column("status_position", sa.BigInteger))
    op.add_column("config_epoch", sa.Column("last_position", sa.BigInteger, nullable=False, server_default="0"))
    if postgresql:
        op.execute(sa.schema.CreateSequence(sa.Sequence("status_positions")))
        op.execute("UPDATE refresh_families SET status_position = nextval('status_positions')")
    else:
        op.execute("UPDATE refresh_families SET status_position = rowid")
        op.execute("UPDATE config_epoch SET last_position = (SELECT coalesce(max(rowid), 0) FROM refresh_families)")
    ended = sa.text("revoked_at IS NOT NULL")
    op.create_index(
        "ix_refresh_families_revoked_at", "refresh_families", ["revoked_at"],
        postgresql_where=ended, sqlite_where=ended,
    )  # fmt: skip
    suspended = sa.text("suspended_at IS NOT NULL")
    op.create_index(
        "ix_clients_suspended_at", "clients", ["suspended_at"], postgresql_where=suspended, sqlite_where=suspended
    )
    op.create_table(
        "ended_positions",
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("resource", sa.Text, nullable=False),
        sa.Column("ended_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_ended_positions_ended_at", "ended_positions", ["ended_at"])
    op.add_column("revoked_access_tokens", sa.Column("resource", sa.Text))
    op.add_column("revoked_access_tokens", sa.Column("revoked_at", sa.BigInteger))
    op.add_column("signing_keys", sa.Column("purpose", sa.Text, nullable=False, server_default="tokens"))


def _drop_status() -> None:
    op.drop_column("signing_keys", "purpose")
    op.drop_column("revoked_access_tokens", "revoked_at")
    op.drop_column("revoked_access_tokens", "resource")
    op.drop_index("ix_clients_suspended_at", "clients")
    op.drop_index("ix_refresh_families_revoked_at", "refresh_families")
    if op.get_bind().dialect.name == "postgresql":
        op.execute(sa.schema.DropSequence(sa.Sequence("status_positions")))
    op.drop_column("config_epoch", "last_position")
    op.drop_column("refresh_families", "status_position")
