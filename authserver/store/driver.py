"""Past SQLAlchemy and the driver's cursors to libpq, for statements that are run millions of times.

Either of them costs as much processor time again as the statement itself. The driver's own readers make values of what
comes, so these are what they always were.
"""

import re
import time
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from hashlib import sha256
from typing import Any, TypeAlias

from sqlalchemy import PoolProxiedConnection

Found: TypeAlias = Any  # a row; its columns are its attributes
Bound: TypeAlias = tuple[Sequence[bytes | None], Sequence[bool]]  # parameters as they are sent, and which are binary
PLACE = re.compile(r"%(?:\((\w+)\)s|%)")
UNKNOWN = b"26000"  # SQLSTATE: no such prepared statement
KNOWN = b"42P05"  # SQLSTATE: there is one of that name


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as libpq takes it, with the ``names`` of its parameters in order.

    It is prepared under a ``key`` that is made of its text: behind a pooler (`lent`) a session has been others' before,
    and what is there under this name is this statement.
    """

    text: bytes
    names: tuple[str, ...]
    key: bytes


@cache
def numbered(text: str) -> Statement:
    """The statement in *text*, which is written as the driver takes it (``%(name)s``, and ``%%`` for a percent sign).

    It is remembered for ever: *text* is one that is kept, not composed for the call.
    """
    names: dict[str, int] = {}

    def place(found: re.Match[str]) -> str:
        return "%" if found[1] is None else f"${names.setdefault(found[1], len(names) + 1)}"

    plain = PLACE.sub(place, text).encode()
    return Statement(plain, tuple(names), b"authserver_" + sha256(plain).hexdigest()[:32].encode())


class Link:
    """A connection that is kept for hot statements. It commits each by itself."""

    def __init__(self, pooled: PoolProxiedConnection, psycopg: Any) -> None:  # noqa: ANN401 - the driver is an extra
        """*pooled* is this link's until it is given back or ended."""
        connection: Any = pooled.driver_connection
        connection.is_hot = True
        self.connection = connection
        self._pooled = pooled
        self._psycopg = psycopg
        self._pgconn = connection.pgconn
        self._generators = psycopg.generators
        self._good = (psycopg.pq.ExecStatus.TUPLES_OK, psycopg.pq.ExecStatus.COMMAND_OK)
        self._encoding: str = connection.info.encoding
        self._prepared: dict[bytes, Callable[[Any], Found] | None] = {}
        self._rested_since = time.monotonic()

    def one_row(self, statement: Statement, parameters: Mapping[str, Any]) -> Found | None:
        """The first row of *statement*, or None. Raises the driver's ``Error``."""
        (result,) = self._awaited(statement, [self._bound(statement, parameters)])
        return self._found(statement, result)

    def rows(self, statement: Statement, calls: Sequence[Mapping[str, Any]]) -> list[Found | None]:
        """The first row, or None, of *statement* for the parameters of each of *calls*, all in one transaction.

        Raises the driver's ``Error``: then nothing was done for any of them, unless the connection was lost.
        """
        bound = [self._bound(statement, parameters) for parameters in calls]
        results = self._awaited(statement, bound)
        return [self._found(statement, result) for result in results]

    def rest(self) -> None:
        """Note that it is idle from now on."""
        self._rested_since = time.monotonic()

    def rested(self) -> float:
        """For how many seconds it has been idle."""
        return time.monotonic() - self._rested_since

    def end(self) -> None:
        """Close the connection."""
        self._pooled.invalidate()

    def _bound(self, statement: Statement, parameters: Mapping[str, Any]) -> Bound:
        given = [parameters[name] for name in statement.names]
        return list(map(self._written, given)), [isinstance(value, bytes) for value in given]

    def _found(self, statement: Statement, result: Any) -> Found | None:  # noqa: ANN401
        if not result.ntuples:
            return None
        read = self._prepared.get(statement.key)
        if read is None:
            read = self._prepared[statement.key] = self._reader(result)
        return read(result)

    def _awaited(self, statement: Statement, calls: Sequence[Bound]) -> list[Any]:
        """`_execute`; meanwhile the connection says since when it waits (see `silence`)."""
        self.connection.statements = len(calls)
        self.connection.waits_since = time.monotonic()
        try:
            return self._execute(statement, calls)
        finally:
            self.connection.waits_since = None

    def _execute(self, statement: Statement, calls: Sequence[Bound]) -> list[Any]:
        """The result of *statement* for each of *calls*, in one transaction."""
        if statement.key not in self._prepared:
            self._prepare(statement)
        results = self._by_name(statement, calls)
        failed = self._failed(results)
        if failed is not None and self._state(failed) == UNKNOWN:
            # A pooler has put us into another session. Nothing was executed.
            self._prepare(statement)
            results = self._by_name(statement, calls)
        return self._checked(results)

    def _by_name(self, statement: Statement, calls: Sequence[Bound]) -> list[Any]:
        if len(calls) == 1:
            return [self._pgconn.exec_prepared(statement.key, *calls[0])]
        send = self._pgconn.send_query_prepared
        return self._in_one([partial(send, statement.key, *call) for call in calls])

    def _in_one(self, commands: Sequence[Callable[[], None]]) -> list[Any]:
        """The results of *commands*, sent as one pipeline, which is one transaction; none after one that failed."""
        try:
            self._pgconn.enter_pipeline_mode()
            for command in commands:
                command()
            self._pgconn.pipeline_sync()
            found = self._results(len(commands) + 1)
            self._pgconn.exit_pipeline_mode()
        except BaseException:
            self.connection.close()  # answers that nobody has read would be taken for the next call's
            raise
        return found

    def _results(self, awaited: int) -> list[Any]:
        """The results of the pipeline, which has *awaited* parts with its end, but for that of its end."""
        wait, pgconn, status = self.connection.wait, self._pgconn, self._psycopg.pq.ExecStatus
        wait(self._generators.send(pgconn))
        found = [result for _ in range(awaited) for result in wait(self._generators.fetch_many(pgconn))]
        return [result for result in found if result.status not in (status.PIPELINE_SYNC, status.PIPELINE_ABORTED)]

    def _prepare(self, statement: Statement) -> None:
        result = self._pgconn.prepare(statement.key, statement.text)
        if self._state(result) != KNOWN:
            self._checked([result])
        self._prepared.setdefault(statement.key, None)

    def _state(self, result: Any) -> bytes | None:  # noqa: ANN401
        state: bytes | None = result.error_field(self._psycopg.pq.DiagnosticField.SQLSTATE)
        return state

    def _failed(self, results: list[Any]) -> Any:  # noqa: ANN401
        """The first of *results* that is an error, or None."""
        for result in results:
            if result.status not in self._good:
                return result
        return None

    def _checked(self, results: list[Any]) -> list[Any]:
        result = self._failed(results)
        if result is None:
            return results
        wrong: Exception = self._psycopg.errors.error_from_result(result, encoding=self._encoding)
        if self.connection.broken:  # which libpq tells in words, without an SQLSTATE
            raise self._psycopg.OperationalError(str(wrong))
        raise wrong

    def _written(self, value: str | bytes | int | None) -> bytes | None:
        """*value* on the wire: text in its text form, bytes as they are."""
        if value is None or isinstance(value, bytes):
            return value
        if isinstance(value, int):
            return b"%d" % value
        if "\0" in value:  # libpq would take it for the end
            raise self._psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
        return value.encode(self._encoding)

    def _reader(self, result: Any) -> Callable[[Any], Found]:  # noqa: ANN401
        """What makes a row of results that have the columns of *result*."""
        columns = range(result.nfields)
        row: Any = namedtuple("Row", [result.fname(column).decode() for column in columns])  # type: ignore[misc]
        loads = [self._load(result.ftype(column)) for column in columns]

        def read(found: Any) -> Found:  # noqa: ANN401
            values = [found.get_value(0, column) for column in columns]
            return row(*[value if value is None else load(value) for load, value in zip(loads, values, strict=True)])

        return read

    def _load(self, oid: int) -> Callable[[bytes], Any]:
        adapters, text = self.connection.adapters, self._psycopg.pq.Format.TEXT
        loader = adapters.get_loader(oid, text) or adapters.get_loader(0, text)
        load: Callable[[bytes], Any] = loader(oid, self.connection).load
        return load
