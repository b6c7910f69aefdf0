"""PostgreSQL behind a pooler of transactions, such as PgBouncer (docs/nodes.md).

Such a pooler lends a connection a *session* of PostgreSQL from the beginning of a transaction to its end. What is set
for a session would be set for whoever has it next, and a statement prepared under the driver's own names would be
another's. So behind one, all that is set is set for the transaction, and nothing is prepared but under names that are
made of the statement's text (`driver`). A connection that goes straight to the server pays for none of this.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from .bounds import Bounds

SETTINGS = "settings of each transaction"
"""Where the pool notes of a connection that it leads to a pooler: the statement that begins its transactions."""

WHO = "SELECT pg_backend_pid()"


def heed(engine: Engine, bounds: Bounds) -> None:
    """Have the connections of *engine* set what *bounds* says, each in the way that what it leads to allows."""
    event.listen(engine, "connect", _arrival(bounds))
    event.listen(engine, "engine_connect", _in_transactions)
    event.listen(engine, "begin", _set_locally)


def _arrival(bounds: Bounds) -> Callable[[Any, ConnectionPoolEntry], None]:
    of_session, of_transaction = bounds.settings(local=False), bounds.settings(local=True)

    def arrive(connection: Any, entry: ConnectionPoolEntry) -> None:  # noqa: ANN401 - the driver is an extra
        if _is_lent(connection):
            connection.prepare_threshold = None
            entry.info[SETTINGS] = of_transaction
        else:
            connection.execute(of_session)
        connection.commit()

    return arrive


def _is_lent(connection: Any) -> bool:  # noqa: ANN401
    """Whether the server process that answers is not the one that greeted us: then a pooler has greeted."""
    greeted: int = connection.info.backend_pid
    return bool(connection.execute(WHO).fetchone()[0] != greeted)


def _in_transactions(connection: Connection) -> None:
    """What would commit each statement by itself has a transaction around each use: without one nothing can be set."""
    if SETTINGS in connection.info:
        connection.execution_options(isolation_level="READ COMMITTED")


def _set_locally(connection: Connection) -> None:
    if settings := connection.info.get(SETTINGS):
        connection.exec_driver_sql(settings)
