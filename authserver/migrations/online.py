"""What a revision does to tables that are in use, without holding their users up."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op


def create_index(
    name: str,
    table: str,
    columns: Sequence[str | sa.TextClause],
    where: str | None = None,
    using: str = "btree",
) -> None:
    """Make an index while rows of *table* are written: on PostgreSQL CONCURRENTLY, and so outside of a transaction.

    What the revision did before is committed by it; so a revision that uses it can be run again from its beginning.
    An attempt that was broken off leaves an index that is not valid, which goes first.
    """
    which = sa.text(where) if where else None
    if op.get_bind().dialect.name != "postgresql":
        op.create_index(name, table, columns, sqlite_where=which)
        return
    with op.get_context().autocommit_block():
        op.drop_index(name, table, postgresql_concurrently=True, if_exists=True)
        op.create_index(
            name, table, columns, postgresql_where=which, postgresql_using=using, postgresql_concurrently=True
        )
