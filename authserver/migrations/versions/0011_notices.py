"""Notices on their way to people, what the rules of alerts remember, and since when a client's change waits."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

WAITING = sa.text("try_at IS NOT NULL")
HELD = sa.text("held_since IS NOT NULL")
STANDING = sa.text("dismissed_at IS NULL")
TABLES = ("grant_networks", "failure_counts", "notice_messages", "notices")


def upgrade() -> None:
    _notices()
    op.create_table(
        "failure_counts",
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("minute", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("failures", sa.Integer, nullable=False),
    )
    op.create_index("ix_failure_counts_minute", "failure_counts", ["minute"])
    op.create_table(
        "grant_networks",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("grant_id", "network")),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_grant_networks_seen_at", "grant_networks", ["seen_at"])
    op.add_column("clients", sa.Column("held_since", sa.BigInteger))
    _mark_held()
    _begin_to_watch()
    op.create_index("ix_clients_held_since", "clients", ["held_since"], postgresql_where=HELD, sqlite_where=HELD)
    op.create_index(
        "ix_alerts_standing_kind", "alerts", ["kind", "raised_at"], postgresql_where=STANDING, sqlite_where=STANDING
    )


def downgrade() -> None:
    op.execute("DELETE FROM audit_streams WHERE target = 'alerts'")
    op.drop_index("ix_alerts_standing_kind", "alerts")
    op.drop_index("ix_clients_held_since", "clients")
    op.drop_column("clients", "held_since")
    for table in TABLES:
        op.drop_table(table)


def _notices() -> None:
    identity = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "notices",
        sa.Column("id", identity, sa.Identity(), primary_key=True),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("about", sa.JSON, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_notices_topic", "notices", ["topic", "id"])
    op.create_index("ix_notices_created_at", "notices", ["created_at"])
    op.create_table(
        "notice_messages",
        sa.Column("id", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("target", "topic")),
        sa.Column("told", sa.JSON, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        *(sa.Column(name, sa.BigInteger) for name in ("try_at", "delivered_at")),
        sa.Column("failure", sa.Text),
    )
    op.create_index(
        "ix_notice_messages_waiting",
        "notice_messages",
        ["target", "try_at"],
        postgresql_where=WAITING,
        sqlite_where=WAITING,
    )
    op.create_index("ix_notice_messages_topic", "notice_messages", ["topic", "created_at"])
    op.create_index("ix_notice_messages_created_at", "notice_messages", ["created_at"])


def _mark_held() -> None:
    """Changes that wait already are counted from now on. What strangers wrote into the JSON is not read as such."""
    now = {"postgresql": "floor(extract(epoch FROM now()))::bigint", "sqlite": "unixepoch()"}[
        op.get_bind().dialect.name
    ]
    clients = sa.table("clients", *(sa.column(name) for name in ("held_since", "kind", "metadata")))
    marked = sa.cast(clients.c.metadata, sa.Text).like('%"held_document": "%')
    held = sa.update(clients).where(clients.c.kind == "metadata_document", marked)
    op.execute(held.values(held_since=sa.literal_column(now)))


def _begin_to_watch() -> None:
    """The rules of alerts leave alone what was sealed before there were any."""
    op.execute(
        "INSERT INTO audit_streams (target, last_xid, last_id, leased_until) "
        "SELECT 'alerts', last_xid, last_id, 0 FROM audit_seals ORDER BY number DESC LIMIT 1"
    )
