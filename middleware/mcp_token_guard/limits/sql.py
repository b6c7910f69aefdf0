"""Does this SQL only read? Two nets, each of which would do: the words (`sql_words`), and a parser's tree (sqlglot).

The parser comes with the extra ``mcp-token-guard[sql]``. Where it is missing, every query is refused.
"""

import logging
from contextvars import ContextVar
from functools import cache
from types import ModuleType

from . import sql_words
from .rule import ReadOnlySql

LOG = logging.getLogger("mcp_token_guard")
JUDGING = ContextVar("mcp_token_guard.sql", default=False)
"""Whether sqlglot works for the guard: its warnings would then write a caller's arguments into the log."""

STRUCTURE = """
    Alias All Any AtTimeZone Between Binary Boolean Case Cast Column CTE DataType DataTypeParam Distinct Exists Fetch
    Filter From Func Group GroupingSets Cube Rollup Having Identifier If In Interval Join JSONPath JSONPathKey
    JSONPathRoot JSONPathSubscript Lateral Limit LimitOptions Literal Null Offset Order Ordered Paren Select
    SetOperation Star Subquery Table TableAlias Tuple Unary Values Var Where Window WindowSpec With WithinGroup
"""
"""The only classes of nodes that a query's tree may have; a write, a lock, a command is of none of these."""


def only_reads(limit: ReadOnlySql, text: str) -> bool:
    """Whether *text* is a single query under *limit*."""
    sqlglot = _parser()
    if sqlglot is None:
        return False
    judging = JUDGING.set(True)
    allowed = sql_words.HARMLESS if limit.functions is None else sql_words.HARMLESS & limit.functions
    try:
        sql_words.check(text, allowed)
        statements = sqlglot.parse(text, dialect=limit.dialect)
        return len(statements) == 1 and _is_query(sqlglot.exp, statements[0])
    except Exception:  # noqa: BLE001 - whatever goes wrong in reading a stranger's query, it is refused
        return False
    finally:
        JUDGING.reset(judging)


def _is_query(exp: ModuleType, statement: object) -> bool:
    if not isinstance(statement, exp.Select | exp.SetOperation | exp.Subquery):
        return False
    return all(isinstance(node, _structure(exp)) for node in statement.walk())


@cache
def _structure(exp: ModuleType) -> tuple[type, ...]:
    return tuple(getattr(exp, name) for name in STRUCTURE.split())


@cache
def _parser() -> ModuleType | None:
    try:
        import sqlglot  # noqa: PLC0415 - an extra, and slow to load
    except ImportError:
        LOG.warning("a token limits SQL, and there is no parser: install mcp-token-guard[sql]; all SQL is refused")
        return None
    logging.getLogger("sqlglot").addFilter(lambda _record: not JUDGING.get())
    return sqlglot
