"""Past SQLAlchemy to psycopg, for statements that are run millions of times.

SQLAlchemy's own execution costs as much processor time again as the driver's. Its pool is used all the same, and so
are its errors, for whoever handles them.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

Found: TypeAlias = Any  # a row; its columns are its attributes


def one_row(engine: Engine, statement: str, parameters: Mapping[str, Any]) -> Found | None:
    """The only row of *statement*, which is committed by itself; the driver prepares it when it comes often.

    Raises `sqlalchemy.exc.DBAPIError`, an `OperationalError` of it when the server is out of reach.
    """
    psycopg = engine.dialect.loaded_dbapi
    pooled = engine.raw_connection()
    connection: Any = pooled.driver_connection
    try:
        with connection.cursor(row_factory=psycopg.rows.namedtuple_row) as cursor:
            return cursor.execute(statement, parameters).fetchone()
    except psycopg.Error as wrong:
        if engine.dialect.is_disconnect(wrong, connection, None):
            # The others of the pool have met the same end.
            pooled.invalidate(wrong)
            engine.dispose()
        raise DBAPIError.instance(statement, None, wrong, psycopg.Error, dialect=engine.dialect) from wrong
    finally:
        pooled.close()
