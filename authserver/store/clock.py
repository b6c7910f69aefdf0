"""The database's clock as SQL expressions: one clock for all nodes, and none of them is asked for its own."""

from sqlalchemy import BigInteger
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class Now(FunctionElement[int]):
    """The time of this statement in Unix seconds; the same wherever the statement says it, so indexes can use it."""

    type = BigInteger()
    inherit_cache = True


class NowInMilliseconds(FunctionElement[int]):
    """The time of this statement in Unix milliseconds."""

    type = BigInteger()
    inherit_cache = True


@compiles(Now, "postgresql")
def _now_in_postgresql(element: Now, compiler: SQLCompiler, **options: object) -> str:
    return "floor(extract(epoch FROM statement_timestamp()))::bigint"


@compiles(Now, "sqlite")
def _now_in_sqlite(element: Now, compiler: SQLCompiler, **options: object) -> str:
    return "CAST(strftime('%s', 'now') AS INTEGER)"


@compiles(NowInMilliseconds, "postgresql")
def _milliseconds_in_postgresql(element: NowInMilliseconds, compiler: SQLCompiler, **options: object) -> str:
    return "floor(extract(epoch FROM statement_timestamp()) * 1000)::bigint"


@compiles(NowInMilliseconds, "sqlite")
def _milliseconds_in_sqlite(element: NowInMilliseconds, compiler: SQLCompiler, **options: object) -> str:
    return "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"


now = Now()
now_in_milliseconds = NowInMilliseconds()
