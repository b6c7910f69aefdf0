"""The audit trail cannot be changed, and is sealed: its order, its seals, and how far each stream has come."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

STANDING = sa.text("dropped IS NULL")
# An event may go when retention has marked the seal that covers it: the first one at or after its place.
COVERED = (
    "(SELECT dropped FROM audit_seals WHERE (last_xid, last_id) >= (OLD.xid, OLD.id)"
    " ORDER BY last_xid, last_id LIMIT 1) IS NOT NULL"
)
SEAL = ("number", "last_xid", "last_id", "rows", "from_ms", "to_ms", "sealed_at", "statement")
CHANGED = " OR ".join(f"NEW.{column} <> OLD.{column}" for column in SEAL)
# Retention marks a seal, once; nothing else about it ever changes.
TAMPERED = f"OLD.dropped IS NOT NULL OR NEW.dropped IS NULL OR {CHANGED}"

RAISE = "RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'integrity_constraint_violation';"
# A restored dump counts transactions from elsewhere: `authserver audit resume` replaces this function.
PLACES = "CREATE FUNCTION audit_order(xid8) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT $1::text::bigint'"
FUNCTION = "CREATE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {} END $$"
TRIGGER = "CREATE TRIGGER {} BEFORE {} EXECUTE FUNCTION {}()"
POSTGRESQL = (
    PLACES,
    "ALTER TABLE audit_events ALTER COLUMN xid SET DEFAULT audit_order(pg_current_xact_id())",
    FUNCTION.format("audit_refusal", RAISE),
    FUNCTION.format("audit_retention", f"IF {COVERED} THEN RETURN OLD; END IF; {RAISE}"),
    TRIGGER.format("audit_events_kept", "UPDATE ON audit_events FOR EACH ROW", "audit_refusal"),
    TRIGGER.format("audit_events_gone", "DELETE ON audit_events FOR EACH ROW", "audit_retention"),
    TRIGGER.format("audit_events_all", "TRUNCATE ON audit_events", "audit_refusal"),
    TRIGGER.format("audit_seals_kept", f"UPDATE ON audit_seals FOR EACH ROW WHEN ({TAMPERED})", "audit_refusal"),
    TRIGGER.format("audit_seals_gone", "DELETE ON audit_seals FOR EACH ROW", "audit_refusal"),
    TRIGGER.format("audit_seals_all", "TRUNCATE ON audit_seals", "audit_refusal"),
)
REFUSE = "BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
SQLITE = (
    f"CREATE TRIGGER audit_events_kept BEFORE UPDATE ON audit_events {REFUSE}",
    f"CREATE TRIGGER audit_events_gone BEFORE DELETE ON audit_events WHEN NOT ({COVERED}) {REFUSE}",
    f"CREATE TRIGGER audit_seals_kept BEFORE UPDATE ON audit_seals WHEN {TAMPERED} {REFUSE}",
    f"CREATE TRIGGER audit_seals_gone BEFORE DELETE ON audit_seals {REFUSE}",
)
TRIGGERS = ("events_kept", "events_gone", "events_all", "seals_kept", "seals_gone", "seals_all")


def upgrade() -> None:
    # Events from before this revision, and all of SQLite's, come first in the order: they have transaction 0.
    op.add_column("audit_events", sa.Column("xid", sa.BigInteger, nullable=False, server_default="0"))
    op.create_index("ix_audit_events_xid", "audit_events", ["xid", "id"])
    _seals()
    _streams()
    for statement in POSTGRESQL if op.get_bind().dialect.name == "postgresql" else SQLITE:
        op.execute(statement)


def downgrade() -> None:
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    for name in TRIGGERS:
        table = f"audit_{name.partition('_')[0]}"
        op.execute(f"DROP TRIGGER IF EXISTS audit_{name}{f' ON {table}' if on_postgresql else ''}")
    op.drop_table("audit_streams")
    op.drop_table("audit_seals")
    op.drop_index("ix_audit_events_xid", "audit_events")
    op.drop_column("audit_events", "xid")
    if on_postgresql:
        for function in ("audit_retention()", "audit_refusal()", "audit_order(xid8)"):
            op.execute(f"DROP FUNCTION {function}")


def _seals() -> None:
    op.create_table(
        "audit_seals",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("last_xid", sa.BigInteger, nullable=False),
        sa.Column("last_id", sa.BigInteger, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("from_ms", sa.BigInteger, nullable=False),
        sa.Column("to_ms", sa.BigInteger, nullable=False),
        sa.Column("sealed_at", sa.BigInteger, nullable=False),
        sa.Column("statement", sa.Text, nullable=False),
        sa.Column("dropped", sa.Text),
    )
    op.create_index("ix_audit_seals_last_xid", "audit_seals", ["last_xid", "last_id"], unique=True)
    op.create_index(
        "ix_audit_seals_standing", "audit_seals", ["number"], postgresql_where=STANDING, sqlite_where=STANDING
    )


def _streams() -> None:
    op.create_table(
        "audit_streams",
        sa.Column("target", sa.Text, primary_key=True),
        sa.Column("last_xid", sa.BigInteger, nullable=False),
        sa.Column("last_id", sa.BigInteger, nullable=False),
        sa.Column("holder", sa.Text),
        sa.Column("leased_until", sa.BigInteger, nullable=False),
        sa.Column("delivered_at", sa.BigInteger),
        sa.Column("failure", sa.Text),
        sa.Column("failed_at", sa.BigInteger),
    )
