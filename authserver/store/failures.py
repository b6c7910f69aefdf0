"""What can go wrong between a process and its database, and what may then be done once more.

A connection that is lost leaves open whether its last transaction was committed. So a verb is done again only if doing
it twice is as good as once: a read, or a change that finds itself done. Where PostgreSQL has undone a transaction for
another's sake (a deadlock, a serialization failure), nothing was done, and one statement may be repeated, whatever it
is.
"""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeAlias, TypeVar

import structlog
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

P = ParamSpec("P")
R = TypeVar("R")

Unavailable: TypeAlias = OperationalError | InternalError | PoolTimeout
UNAVAILABLE = (OperationalError, InternalError, PoolTimeout)
"""Out of reach, out of connections, cut off by a timeout, undone for another's sake, or open for reading alone."""

REPEATS = 2
UNDONE = frozenset({"40001", "40P01"})  # SQLSTATE: serialization failure, deadlock
# SQLSTATE: ended by an administrator, by a crash, for having rested in a transaction; and what was the primary
# server reads only from now on: a new connection may find the one that writes.
LOST = frozenset({"57P01", "57P02", "25P03", "25006"})
WITHHELD = UNDONE | {"55P03", "57014"}  # and: another's lock was not let go in time, or the statement took too long
log = structlog.get_logger(__name__)


def is_loss(wrong: BaseException | None) -> bool:
    """Whether the driver's error *wrong* tells that its connection is of no more use."""
    return getattr(wrong, "sqlstate", None) in LOST


def is_withheld(problem: Unavailable) -> bool:
    """Whether the database is there, and kept something from a statement for another's sake."""
    wrong = problem.orig if isinstance(problem, DBAPIError) else None
    return getattr(wrong, "sqlstate", None) in WITHHELD


def note_loss(context: ExceptionContext) -> None:
    """Have SQLAlchemy's pool replace all connections when one is of no more use; for its event ``handle_error``."""
    if is_loss(context.original_exception):
        context.is_disconnect = True


def reason(problem: Unavailable) -> str:
    """What the database, or the pool, says of *problem*: for the log only."""
    return str(problem.orig if isinstance(problem, DBAPIError) else problem)


def repeatable(verb: Callable[P, R]) -> Callable[P, R]:
    """*verb*, done again when its connection was lost or its transaction undone: doing it twice is as good as once."""
    return _repeated(verb, lambda problem: problem.connection_invalidated or _is_undone(problem))


def single(verb: Callable[P, R]) -> Callable[P, R]:
    """*verb*, which is one statement, done again when that was undone."""
    return _repeated(verb, _is_undone)


def _is_undone(problem: DBAPIError) -> bool:
    return getattr(problem.orig, "sqlstate", None) in UNDONE


def _repeated(verb: Callable[P, R], may: Callable[[DBAPIError], bool]) -> Callable[P, R]:
    @wraps(verb)
    def done(*arguments: P.args, **options: P.kwargs) -> R:
        for _ in range(REPEATS):
            try:
                return verb(*arguments, **options)
            except DBAPIError as problem:
                if not may(problem):
                    raise
                log.warning("done once more", verb=verb.__qualname__, private=str(problem.orig))
        return verb(*arguments, **options)

    return done
