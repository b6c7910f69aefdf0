"""The hot lane: a few connections of the pool that hot statements keep for themselves, handed on from call to call.

Taking a connection from the pool and giving it back costs as much processor time as PostgreSQL needs for a statement.
A kept one is still one of the pool's: made, counted and limited by it.
"""

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Engine, PoolProxiedConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ..observability.tally import Tally
from . import engine as engines
from .bounds import UNBOUNDED
from .driver import Found, Link, Statement, numbered
from .failures import is_loss
from .lent import LentLink
from .pooler import SETTINGS
from .together import Together

T = TypeVar("T")
WAIT_SECONDS = 30  # as long as the pool lets others wait

_of_parents: list[Link] = []  # held for ever after a fork, since whatever lets go of a connection closes it


class Lane:
    """The kept connections of one PostgreSQL engine. None is opened before it is needed."""

    def __init__(self, engine: Engine, committed: Tally, most: int = UNBOUNDED.for_hot_statements) -> None:
        """*engine* is one that `engine.prepare` has seen; *most* calls go at once, and are counted as *committed*."""
        self._engine = engine
        self._committed = committed
        self._most = most
        self._idle: list[Link] = []
        self._together: dict[str, Together[Mapping[str, Any]]] = {}
        self.waited = Tally()
        self._psycopg = engine.dialect.loaded_dbapi
        self._begin()

    def one_row(self, text: str, parameters: Mapping[str, Any]) -> Found | None:
        """The first row of the statement *text*, which is committed by itself, or None; prepared once per connection.

        Raises `sqlalchemy.exc.DBAPIError`, an `OperationalError` of it when the server is out of reach, and
        `sqlalchemy.exc.TimeoutError` when for half a minute no connection was free.
        """
        statement = numbered(text)
        return self._on_a_link(statement, lambda link: link.one_row(statement, parameters))

    def one_row_of_many(self, text: str, parameters: Mapping[str, Any], by: Sequence[str]) -> Found | None:
        """As `one_row`, committed with calls of the same statement that come at the same time (see `together`).

        *by* names the parameters that tell which rows it locks. Raises what `one_row` raises.
        """
        if self._process != os.getpid():
            self._leave_to_parent()
        together = self._together.get(text)
        if together is None:
            new = Together(
                partial(self.one_row, text),
                partial(self._rows, text),
                self._committed,
                order=partial(_place, tuple(by)),
            )
            together = self._together.setdefault(text, new)
        return together.do(parameters)

    def _rows(self, text: str, calls: Sequence[Mapping[str, Any]]) -> list[Found | None]:
        statement = numbered(text)
        return self._on_a_link(statement, lambda link: link.rows(statement, calls))

    @property
    def idle(self) -> int:
        """How many connections are kept and not in use."""
        return len(self._idle)

    def close(self) -> None:
        """Close all connections of the engine that are idle; what is in use is closed when it comes back."""
        with self._ending:
            self._end_idle()

    def _comes_free(self, room: threading.Semaphore) -> bool:
        found = room.acquire(timeout=WAIT_SECONDS)
        self.waited.add("waited" if found else "in_vain")
        return found

    def _begin(self) -> None:
        self._room = threading.Semaphore(self._most)
        self._ending = threading.Lock()
        self._idle = []
        self._together = {}
        self._process = os.getpid()

    def _leave_to_parent(self) -> None:
        """After a fork, connections are the parent's: neither used here nor closed, which it would feel."""
        _of_parents.extend(self._idle)
        self._engine.dispose(close=False)
        self._begin()

    def _on_a_link(self, statement: Statement, use: Callable[[Link], T]) -> T:
        if self._process != os.getpid():
            self._leave_to_parent()
        room = self._room
        if not room.acquire(blocking=False) and not self._comes_free(room):
            raise PoolTimeout("no connection became free for a hot statement")
        try:
            return self._used(statement, use)
        finally:
            room.release()

    def _used(self, statement: Statement, use: Callable[[Link], T]) -> T:
        home = self._idle
        link = self._take()
        try:
            return use(link)
        except self._psycopg.Error as wrong:
            lost = is_loss(wrong) or self._engine.dialect.is_disconnect(wrong, link.connection, None)
            if lost:
                self._lose(home)
            raise self._error(statement, wrong, lost=lost) from wrong
        finally:
            link.rest()
            home.append(link)
            if home is not self._idle:  # closed, or lost, since the call began
                _end_all(home)

    def _lose(self, home: list[Link]) -> None:
        """End all connections, unless it was done since the call began that had *home* to take one from.

        A server that is gone for one is gone for the others.
        """
        with self._ending:
            if home is self._idle:
                self._end_idle()

    def _end_idle(self) -> None:
        """The pool goes first: what is taken once the list is another one is the new pool's."""
        self._engine.dispose()
        idle, self._idle = self._idle, []
        _end_all(idle)

    def _error(self, statement: Statement, wrong: Exception, *, lost: bool) -> Exception:
        text, dialect = statement.text.decode(), self._engine.dialect
        return DBAPIError.instance(text, None, wrong, self._psycopg.Error, connection_invalidated=lost, dialect=dialect)

    def _take(self) -> Link:
        """The link that was used last, so that those of a busy minute come to rest; else a new one."""
        for link in _taken_from(self._idle):
            if link.rested() < engines.IDLE_SECONDS or self._lives(link):
                return link
            link.end()
        pooled = self._pooled()
        settings = pooled.info.get(SETTINGS)
        return LentLink(pooled, self._psycopg, settings) if settings else Link(pooled, self._psycopg)

    def _pooled(self) -> PoolProxiedConnection:
        try:
            return self._engine.raw_connection()
        except self._psycopg.Error as away:
            raise DBAPIError.instance(None, None, away, self._psycopg.Error, dialect=self._engine.dialect) from away

    def _lives(self, link: Link) -> bool:
        try:
            return self._engine.dialect.do_ping(link.connection)
        except self._psycopg.Error:
            return False


def _taken_from(idle: list[Link]) -> Iterator[Link]:
    """What is in *idle*, the last first, each for one thread alone."""
    while True:
        try:
            yield idle.pop()
        except IndexError:
            return


def _end_all(idle: list[Link]) -> None:
    for link in _taken_from(idle):
        link.end()


def _place(names: Sequence[str], parameters: Mapping[str, Any]) -> list[tuple[bool, Any]]:
    """What calls are ordered by: the parameters of these *names*, None before all others."""
    values = [parameters[name] for name in names]
    return [(value is not None, value) for value in values]
