"""What `migrate.upgrade` would do, without doing it: each revision's statements, what they lock, and for whom.

The statements are those that the revisions issue when Alembic writes them down; what a revision reads first, and
decides from, is not known before. The locks are those of PostgreSQL 18's manual, "Explicit Locking": SQLite has one
writer, and everything waits for it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import Script
from sqlalchemy import Dialect
from sqlalchemy.sql.base import Executable

from .engine import locate
from .migrate import current, lacking


class Rule(NamedTuple):
    """A kind of statement: how it is known, what it locks and for how long, and whether code of before goes on."""

    pattern: re.Pattern[str]
    lock: str = ""
    ends: bool = False


def _rule(pattern: str, lock: str = "", *, ends: bool = False) -> Rule:
    return Rule(re.compile(pattern, re.IGNORECASE | re.DOTALL), lock, ends)


BRIEFLY = "{} is locked against everybody, until the revision is done"
READ_WHOLE = "{} is read whole or written anew, locked against everybody until the revision is done"
INDEXED = "{} is read whole, locked against writers until the revision is done"
POINTED_AT = "{} is locked against writers, until the revision is done"
TABLE = r'(?:ONLY )?"?(?P<table>\w+)"?'
# The first that fits tells.
RULES = (
    _rule(r"(CREATE|DROP) INDEX CONCURRENTLY"),
    _rule(rf"CREATE (UNIQUE )?INDEX .* ON {TABLE}", INDEXED),
    _rule(r"DROP INDEX (IF EXISTS )?(?P<table>\w+)", BRIEFLY.format("the table of {}")),
    _rule(rf"ALTER TABLE {TABLE} DROP (COLUMN|CONSTRAINT)", BRIEFLY, ends=True),
    _rule(rf"ALTER TABLE {TABLE} RENAME", BRIEFLY, ends=True),
    _rule(rf"ALTER TABLE {TABLE} ALTER COLUMN \w+ (DROP|SET DEFAULT)", BRIEFLY),
    _rule(rf"ALTER TABLE {TABLE} ALTER", READ_WHOLE, ends=True),
    _rule(rf"ALTER TABLE {TABLE} ADD COLUMN (?!.*\bDEFAULT\b).*NOT NULL", BRIEFLY, ends=True),
    _rule(rf"ALTER TABLE {TABLE} ADD COLUMN", BRIEFLY),
    _rule(rf"ALTER TABLE {TABLE} ADD .*NOT VALID", BRIEFLY),
    _rule(rf"ALTER TABLE {TABLE} ADD", READ_WHOLE, ends=True),
    _rule(rf"ALTER TABLE {TABLE}", BRIEFLY),
    _rule(rf"DROP TABLE (IF EXISTS )?{TABLE}", BRIEFLY, ends=True),
    _rule(rf"CREATE TABLE .*?REFERENCES {TABLE}", POINTED_AT),
    _rule(rf"(UPDATE|DELETE FROM) {TABLE}", "the rows of {} that it changes"),
)
MADE = re.compile(r'CREATE TABLE "?(?P<table>\w+)"?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Planned:
    """One statement: what it locks, in words, or empty; and whether it ends what code of before may rely on."""

    statement: str
    lock: str
    ends: bool


@dataclass(frozen=True, slots=True)
class PlannedRevision:
    """A revision and its statements. ``reads``: it also reads rows, and writes what follows from them."""

    number: str
    title: str
    statements: tuple[Planned, ...]
    reads: bool

    @property
    def old_code_goes_on(self) -> bool:
        """Whether nodes with the code of before may go on running while this is applied, and after."""
        return not any(each.ends for each in self.statements)


def plan(url: str, after: str | None = None) -> tuple[PlannedRevision, ...]:
    """What the database at *url* lacks, or, of any, what comes *after* a revision; oldest first."""
    dialect = locate(url).get_dialect()()
    return tuple(_planned(each, dialect) for each in lacking(after or current(url)))


def _planned(revision: Script, dialect: Dialect) -> PlannedRevision:
    taken = Taken()
    context = MigrationContext.configure(dialect=dialect, opts={"as_sql": True, "output_buffer": taken})
    context.impl.connection = Unread(dialect, taken)  # type: ignore[assignment]
    with Operations.context(context):
        revision.module.upgrade()
    return PlannedRevision(revision.revision, _title(revision), tuple(_judged(taken.statements)), taken.reads)


def _title(revision: Script) -> str:
    return revision.doc.splitlines()[0].rstrip(".")


@dataclass
class Taken:
    """Takes what Alembic would write to a script."""

    statements: list[str] = field(default_factory=list)
    reads: bool = False

    def write(self, text: str) -> None:
        """Take a statement, or what Alembic puts between them."""
        statement = text.strip().rstrip(";")
        if statement and statement not in {"BEGIN", "COMMIT"}:
            self.statements.append(statement)

    def flush(self) -> None:
        """Nothing waits."""


class Unread:
    """Stands for the connection of a revision: takes what it is asked to execute, and finds no rows."""

    def __init__(self, dialect: Dialect, taken: Taken) -> None:
        """Statements are put into words of *dialect*."""
        self.dialect = dialect
        self._taken = taken

    def execute(self, statement: Executable, parameters: object = None) -> "Unread":
        """Take *statement*; what it would find is nothing."""
        words = str(statement.compile(dialect=self.dialect))  # type: ignore[attr-defined]
        if words.lstrip().upper().startswith("SELECT"):
            self._taken.reads = True
        else:
            self._taken.write(words)
        return self

    def scalar(self, statement: Executable) -> Any:  # noqa: ANN401 - whatever a column holds
        """Nothing, of what *statement* asks for."""
        self.execute(statement)

    def all(self) -> list[Any]:
        """No rows."""
        return []


def _judged(statements: list[str]) -> Iterator[Planned]:
    made = {found["table"] for each in statements if (found := MADE.match(each))}
    for statement in statements:
        yield judge(statement, made)


def judge(statement: str, made: set[str]) -> Planned:
    """What *statement* does to tables that others use; nobody uses those that were just *made*."""
    for pattern, lock, ends in RULES:
        found = pattern.match(statement)
        if found is None:
            continue
        table = found.groupdict().get("table") or ""
        return Planned(statement, "", ends=False) if table in made else Planned(statement, lock.format(table), ends)
    return Planned(statement, "", ends=False)
