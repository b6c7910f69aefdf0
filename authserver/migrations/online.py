"""What a revision does to tables that are in use, without holding their users up."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op


def add_column(table: str, column: sa.Column[Any]) -> None:
    """Add *column*, unless an attempt that was broken off behind it has (`create_index`). SQLite undoes such a one."""
    op.add_column(table, column, if_not_exists=op.get_bind().dialect.name == "postgresql" or None)


def create_index(
    name: str,
    table: str,
    columns: Sequence[str | sa.TextClause],
    where: str | None = None,
    using: str = "btree",
    unique: bool = False,
) -> None:
    """Make an index while rows of *table* are written: on PostgreSQL CONCURRENTLY, and so outside of a transaction.

    What the revision did before is committed by it; so a revision that uses it can be run again from its beginning.
    An attempt that was broken off leaves an index that is not valid, which goes first.
    """
    which = sa.text(where) if where else None
    if op.get_bind().dialect.name != "postgresql":
        op.create_index(name, table, columns, unique=unique, sqlite_where=which)
        return
    with op.get_context().autocommit_block():
        op.drop_index(name, table, postgresql_concurrently=True, if_exists=True)
        op.create_index(
            name,
            table,
            columns,
            unique=unique,
            postgresql_where=which,
            postgresql_using=using,
            postgresql_concurrently=True,
        )
