"""The one way to the database, and the only module that knows Flask-SQLAlchemy."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine, Select, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from ..observability.tally import Tally
from ..protocol.audit import Origin
from . import engine as engines
from . import models
from .bounds import UNBOUNDED, Bounds
from .driver import Found
from .failures import UNAVAILABLE, repeatable, single
from .lane import Lane
from .silence import Silence
from .together import OPEN, Together
from .turn import Turn

SIMPLEST = select(literal(1))
WITHOUT_END = -1

Work: TypeAlias = Callable[[Connection, Sequence[Any]], Sequence[Any]]


@dataclass(frozen=True, slots=True)
class PoolState:
    """Connections: the ``most`` that there may be, those ``open``, and those ``in_use`` of these."""

    most: int
    open: int
    in_use: int


class Database:
    """A database that is connected to on first use, so a process may fork before that."""

    def __init__(self, engine: Engine, bounds: Bounds = UNBOUNDED) -> None:
        """*engine* is one that `engine.prepare` has seen, with the same *bounds*."""
        self.engine = engine
        self._writing = engine.execution_options(**engines.WRITING[engine.dialect.name])
        self._turn = Turn(Path(str(engine.url.database)).parent) if self.dialect == "sqlite" else None
        self._silence = Silence(engine, bounds) if self.dialect == "postgresql" else None
        self._together: dict[Work, Together[Any]] = {}
        self.committed = Tally()
        """How many hot calls were committed alone, and how many together with others."""
        self._lane = Lane(engine, self.committed, bounds.for_hot_statements)
        self._compiled: dict[Select[*tuple[Any, ...]], tuple[str, dict[str, Any]]] = {}

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.engine.dialect.name

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A connection whose statements are committed together, or rolled back together when an error leaves it.

        On SQLite it is the only writer from its beginning on.
        """
        with self._turn or OPEN, self._writing.begin() as connection:
            yield connection

    def act_from(self, origin: Origin) -> None:
        """Say of all that this process changes, where it comes from; requests say it themselves."""
        self._writing = self._writing.execution_options(origin=origin)

    def reading(self) -> Connection:
        """A connection for reads: each statement sees what is committed when it starts."""
        return self.engine.connect()

    def session(self) -> Session:
        """A session of the ORM for the lists of pages and console; reads only."""
        return Session(self.engine)

    @single
    def at_once(
        self, statement: str, parameters: Mapping[str, Any], *, by: Sequence[str] | None = None
    ) -> Found | None:
        """The one row of a PostgreSQL *statement* that is a transaction of its own, in one round trip.

        *statement* is written as the driver takes it (``%(name)s``). With *by*, the parameters that tell which rows it
        locks, it may be committed with others of its kind that come at the same time (decision 27).
        """
        if by is None:
            return self._lane.one_row(statement, parameters)
        return self._lane.one_row_of_many(statement, parameters, by)

    def as_one_of_many(self, work: Work, asked: Any) -> Any:  # noqa: ANN401 - what *work* takes, and what it gives
        """What *work* does with what is *asked*, in a transaction with others that ask at the same time (decision 27).

        *work* is a function that gives an answer to each, in order. For SQLite, where one thing after the other is
        written anyway: who waits for the writer before goes with whoever else does, and pays for one commit.
        """
        together = self._together.get(work)
        if together is None:
            several = partial(self._in_one, work)
            new = Together(
                lambda one: several([one])[0],
                several,
                self.committed,
                gate=self._turn or OPEN,
                patience=WITHOUT_END,
                is_own=_is_not_the_databases,
            )
            together = self._together.setdefault(work, new)
        return together.do(asked)

    def _in_one(self, work: Work, asked: Sequence[Any]) -> Sequence[Any]:
        """What *work* does, by whoever has the turn."""
        with self._writing.begin() as connection:
            return work(connection, asked)

    @repeatable
    def look_up(self, statement: Select[*tuple[Any, ...]], parameters: Mapping[str, Any]) -> Found | None:
        """The one row of a *statement* that requests ask for again and again, or None.

        *statement* is one that is kept, not composed for the call. Columns of words may come as text.
        """
        if self.dialect == "sqlite":
            with self.reading() as connection:
                return connection.execute(statement, dict(parameters)).one_or_none()
        if statement not in self._compiled:
            compiled = statement.compile(self.engine)
            self._compiled[statement] = (str(compiled), dict(compiled.params))
        text, constants = self._compiled[statement]
        return self._lane.one_row(text, {**constants, **parameters})

    def give_up_on_silence(self) -> None:
        """From now on, have no statement of this process wait for a PostgreSQL server that says nothing any more."""
        if self._silence:
            self._silence.start()

    def answers(self) -> None:
        """Have the database answer the simplest of questions. Raises `sqlalchemy.exc.SQLAlchemyError`."""
        with self.reading() as connection:
            connection.execute(SIMPLEST)

    def pool(self) -> PoolState:
        """What the pool of this process has now."""
        found, idle = self.engine.pool, self._lane.idle
        if not isinstance(found, QueuePool):
            return PoolState(0, 0, 0)
        most = found.size() + found._max_overflow  # nothing else tells it
        return PoolState(most, found.checkedin() + found.checkedout(), max(0, found.checkedout() - idle))

    @property
    def waited(self) -> Tally:
        """How often a hot statement had to wait for a connection, and how often in vain."""
        return self._lane.waited

    def close(self) -> None:
        """Close what is open and idle; before a fork, so that no process inherits a connection."""
        self._lane.close()
        if self._turn:
            self._turn.close()

    def insert(self, table: type[models.Row]) -> postgresql.Insert | sqlite.Insert:
        """An INSERT that may say what to do ON CONFLICT."""
        return sqlite.insert(table) if self.dialect == "sqlite" else postgresql.insert(table)


def _is_not_the_databases(wrong: BaseException) -> bool:
    """Whether an error may be one call's own: a database that is locked or full refuses whatever is asked."""
    return isinstance(wrong, Exception) and not isinstance(wrong, UNAVAILABLE)


def connect(app: Flask, url: str, bounds: Bounds = UNBOUNDED) -> Database:
    """Give *app* its database at *url*, within *bounds*; opens no connection. Raises `engine.UnknownDatabase`."""
    location = engines.locate(url)
    app.config["SQLALCHEMY_DATABASE_URI"] = location
    extension = SQLAlchemy(
        app,
        metadata=models.Row.metadata,
        engine_options=engines.options(location, bounds),
        add_models_to_shell=False,
    )
    with app.app_context():
        engine = extension.engine
    engines.prepare(engine, bounds)
    return Database(engine, bounds)
