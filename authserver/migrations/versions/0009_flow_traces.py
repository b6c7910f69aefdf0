"""Flow traces: attempts to connect, and the steps of each."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

FAILED = sa.text("verdict = 'failed'")
NOBODYS = sa.text("user_id IS NULL")


def upgrade() -> None:
    op.create_table(
        "traces",
        sa.Column("id", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text) for name in ("client_id", "user_id", "grant_id", "resource")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("address", "agent")),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("started_ms", "last_ms")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("step", "verdict", "cause")),
    )
    op.create_index("ix_traces_last_ms", "traces", ["last_ms", "id"])
    for name, which in (("failed", FAILED), ("nobodys", NOBODYS)):
        op.create_index(f"ix_traces_{name}", "traces", ["last_ms", "id"], postgresql_where=which, sqlite_where=which)
    for column in ("client_id", "user_id", "address"):
        op.create_index(f"ix_traces_{column}", "traces", [column, "last_ms", "id"])
    op.create_table(
        "trace_steps",
        sa.Column("trace_id", sa.Text, sa.ForeignKey("traces.id", ondelete="CASCADE"), primary_key=True),
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("step", "cause")),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("times", "first_ms", "last_ms")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("address", "agent", "correlation_id")),
        sa.Column("about", sa.JSON, nullable=False),
    )
    op.create_index("ix_trace_steps_correlation_id", "trace_steps", ["correlation_id"])


def downgrade() -> None:
    op.drop_table("trace_steps")
    op.drop_table("traces")
