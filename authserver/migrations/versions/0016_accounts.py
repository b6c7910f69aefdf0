"""Invitations, links that prove who reads a mail, mail that waits, and user names that look the same."""

import sqlalchemy as sa
from alembic import op

from authserver.protocol.registry.look_alike import as_seen

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_table(
        "invitations",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("digest", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("username", sa.Text, nullable=False, unique=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("display_name", "role", "email")),
        sa.Column("mailed", sa.Boolean, nullable=False),
        sa.Column("invited_by", sa.Text, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("created_at", "expires_at")),
    )
    op.create_table(
        "account_links",
        sa.Column("digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("user_id", sa.Text, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("created_at", "expires_at")),
    )
    op.create_table(
        "letters",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("receiver", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("try_at", sa.BigInteger, nullable=False),
    )
    for table, column in (
        ("invitations", "expires_at"),
        ("invitations", "created_at"),
        ("account_links", "expires_at"),
        ("account_links", "user_id"),
        ("letters", "try_at"),
    ):
        op.create_index(f"ix_{table}_{column}", table, [column])
    op.add_column("users", sa.Column("likeness", sa.Text))
    _fill()
    op.create_index("uq_users_likeness", "users", ["likeness"], unique=True)


def _fill() -> None:
    """Give those who are there the likeness of their names; of two that look the same, the older one has it."""
    users = sa.table("users", sa.column("id"), sa.column("username"), sa.column("likeness"), sa.column("created_at"))
    connection, taken = op.get_bind(), set[str]()
    for person in connection.execute(sa.select(users).order_by(users.c.created_at, users.c.id)).all():
        likeness = as_seen(person.username)
        if likeness not in taken:
            taken.add(likeness)
            connection.execute(sa.update(users).where(users.c.id == person.id).values(likeness=likeness))


def downgrade() -> None:
    op.drop_index("uq_users_likeness", "users")
    op.drop_column("users", "likeness")
    for table in ("letters", "account_links", "invitations"):
        op.drop_table(table)
