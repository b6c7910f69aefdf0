"""What `migrate.upgrade` would do, without doing it: each revision's statements, what they lock, and for whom.

The statements are those that the revisions issue when Alembic writes them down; what a revision reads first, and
decides from, is not known before. The locks are those of PostgreSQL 18's manual, "Explicit Locking": SQLite has one
writer, and everything waits for it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import Script
from sqlalchemy import Dialect
from sqlalchemy.sql.base import Executable

from .engine import locate
from .migrate import current, lacking


class Lock(NamedTuple):
    """What a statement locks, in words; whether against everybody; whether it reads a table whole, or may."""

    words: str
    strong: bool = False
    whole: bool = False


class Rule(NamedTuple):
    """A kind of statement: how it is known, what it locks and for how long, and whether code of before goes on."""

    pattern: re.Pattern[str]
    lock: Lock
    ends: bool = False


NOTHING = Lock("")
BRIEFLY = Lock("{} is locked against everybody, until the commit", strong=True)
READ_WHOLE = Lock(
    "{} is read whole or written anew, locked against everybody until the commit", strong=True, whole=True
)
INDEXED = Lock("{} is read whole, locked against writers until the commit", whole=True)
POINTED_AT = Lock("{} is locked against writers, until the commit")
CHANGED = Lock("the rows of {} that it changes", whole=True)
READ = Lock("{} is read", whole=True)


def _rule(pattern: str, lock: Lock = NOTHING, *, ends: bool = False) -> Rule:
    return Rule(re.compile(pattern, re.IGNORECASE | re.DOTALL), lock, ends)


TABLE = r'(?:ONLY )?"?(?P<table>\w+)"?'
# The first that fits tells.
RULES = (
    _rule(r"(CREATE (UNIQUE )?|DROP )INDEX CONCURRENTLY"),
    _rule(rf"CREATE (UNIQUE )?INDEX .* ON {TABLE}", INDEXED),
    _rule(r"DROP INDEX (IF EXISTS )?(?P<index>\w+)", BRIEFLY),
    _rule(rf"LOCK TABLE {TABLE} IN ACCESS EXCLUSIVE", BRIEFLY),
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
    _rule(rf"(UPDATE|DELETE FROM) {TABLE}", CHANGED),
    _rule(rf"(SELECT|INSERT) .*\bFROM (?!pg_){TABLE}", READ),
)
OTHER = _rule("")
MADE = re.compile(r'CREATE TABLE "?(?P<table>\w+)"?', re.IGNORECASE)
COMMIT = "COMMIT"


@dataclass(frozen=True, slots=True)
class Planned:
    """One statement and by which ``rule`` it is told.

    If it reads a table whole, ``held`` are those that the same transaction has locked against everybody.
    """

    statement: str
    rule: Rule = OTHER
    table: str = ""
    held: tuple[str, ...] = ()

    @property
    def lock(self) -> str:
        """What it locks, in words, or empty."""
        return self.rule.lock.words.format(self.table)

    @property
    def ends(self) -> bool:
        """Whether it ends what code of before may rely on."""
        return self.rule.ends


@dataclass(frozen=True, slots=True)
class PlannedRevision:
    """A revision and its statements."""

    number: str
    title: str
    statements: tuple[Planned, ...]

    @property
    def reads(self) -> bool:
        """Whether it also reads rows, and writes what follows from them."""
        return any(each.statement.startswith("SELECT") for each in self.statements)

    @property
    def held(self) -> tuple[str, ...]:
        """The tables that are locked against everybody for as long as another statement takes to read one whole."""
        return tuple(dict.fromkeys(table for each in self.statements for table in each.held))

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
    return PlannedRevision(revision.revision, _title(revision), tuple(_judged(taken.statements)))


def _title(revision: Script) -> str:
    return revision.doc.splitlines()[0].rstrip(".")


@dataclass
class Taken:
    """Takes what Alembic would write to a script."""

    statements: list[str] = field(default_factory=list)

    def write(self, text: str) -> None:
        """Take a statement, or what Alembic puts between them."""
        statement = text.strip().rstrip(";")
        if statement and statement != "BEGIN":
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
        self._taken.write(str(statement.compile(dialect=self.dialect)))  # type: ignore[attr-defined]
        return self

    def scalar(self, statement: Executable) -> Any:  # noqa: ANN401 - whatever a column holds
        """Nothing, of what *statement* asks for."""
        self.execute(statement)

    def all(self) -> list[Any]:
        """No rows."""
        return []


def _judged(statements: list[str]) -> Iterator[Planned]:
    anew = {found["table"] for each in statements if (found := MADE.match(each))}
    made, held = set[str](), set[str]()
    for statement in statements:
        if statement == COMMIT:
            held.clear()
            continue
        told = judge(statement, made)
        if told.table in anew:  # another comes in its place
            told = replace(told, rule=told.rule._replace(ends=False))
        if told.rule.lock.strong:
            held.add(told.table)
        yield replace(told, held=tuple(sorted(held))) if told.rule.lock.whole else told
        if found := MADE.match(statement):
            made.add(found["table"])


def judge(statement: str, made: set[str]) -> Planned:
    """What *statement* does to tables that others use; nobody uses those that were just *made*."""
    for rule in RULES:
        if found := rule.pattern.match(statement):
            named = found.groupdict()
            table = named.get("table") or f"the table of {named.get('index')}"
            return Planned(statement) if table in made else Planned(statement, rule, table)
    return Planned(statement)
