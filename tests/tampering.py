"""What only the owner of the database can do: change the audit trail behind the back of its triggers."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text

TRIGGERS = text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")


@contextmanager
def unguarded(connection: Connection) -> Iterator[None]:
    """Within it, no trigger of the database of *connection* fires; the transaction ends soon after."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        yield
        connection.execute(text("SET LOCAL session_replication_role = origin"))
        return
    triggers = connection.execute(TRIGGERS).all()
    for name, _ in triggers:
        connection.exec_driver_sql(f"DROP TRIGGER {name}")
    yield
    for _, made in triggers:
        connection.exec_driver_sql(made)
