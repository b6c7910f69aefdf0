"""Receipts of tool calls, the sums that are kept of them, and alerts."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

TABLES = ("alerts", "tool_hours", "tool_uses", "tool_receipts")
REFUSED = sa.text("refused")
STANDING = sa.text("dismissed_at IS NULL")


def upgrade() -> None:
    _receipts()
    op.create_table(
        "tool_uses",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("grant_id", "tool")),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("calls", "refused", "last_ms")),
    )
    op.create_index("ix_tool_uses_last_ms", "tool_uses", ["last_ms"])
    op.create_table(
        "tool_hours",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("resource", "tool")),
        sa.Column("hour", sa.BigInteger, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("calls", "refused")),
    )
    op.create_index("ix_tool_hours_hour", "tool_hours", ["hour"])
    op.create_table(
        "alerts",
        sa.Column("id", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("kind", "resource")),
        *(sa.Column(name, sa.Text) for name in ("client_id", "user_id", "tool")),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.Column("raised_at", sa.BigInteger, nullable=False),
        sa.Column("dismissed_at", sa.BigInteger),
    )
    _partial_index("alerts", "ix_alerts_standing", ["raised_at", "id"], STANDING)
    for column in ("user_id", "raised_at"):
        op.create_index(f"ix_alerts_{column}", "alerts", [column])


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)


def _receipts() -> None:
    op.create_table(
        "tool_receipts",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("resource", sa.Text, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("subject", "client_id")),
        *(sa.Column(name, sa.Text) for name in ("family_id", "grant_id", "user_id")),
        sa.Column("tool", sa.Text, nullable=False),
        sa.Column("arguments", sa.JSON, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("refused", sa.Boolean, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("duration_ms", sa.Float(53), nullable=False),
        sa.Column("correlation_id", sa.Text, nullable=False),
        *(sa.Column(name, sa.Text) for name in ("trace_id", "span_id")),
    )
    op.create_index("ix_tool_receipts_at_ms", "tool_receipts", ["at_ms", "key"])
    for column in ("grant_id", "user_id", "client_id", "resource"):
        op.create_index(f"ix_tool_receipts_{column}", "tool_receipts", [column, "at_ms", "key"])
    _partial_index("tool_receipts", "ix_tool_receipts_refused", ["client_id", "at_ms"], REFUSED)


def _partial_index(table: str, name: str, columns: list[str], which: sa.TextClause) -> None:
    op.create_index(name, table, columns, postgresql_where=which, sqlite_where=which)
