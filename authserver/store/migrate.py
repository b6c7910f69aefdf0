"""The schema's versions: which one a database has, and how it gets to the newest."""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from .database import Database
from .engine import create
from .models import Row

LOCK = 0x6D6370  # any number that nobody else takes: one node migrates, the others wait for it


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the schema at *url* up to *revision*, in one transaction; does nothing when it is there already."""
    with _alone(url) as connection:
        command.upgrade(config(connection), revision)


def downgrade(url: str, revision: str = "base") -> None:
    """Take the schema back to *revision*, in one transaction, with all that the newer ones kept."""
    with _alone(url) as connection:
        command.downgrade(config(connection), revision)


def current(url: str) -> str | None:
    """The revision that the database has, None for an empty one."""
    with _opened(url) as database, database.reading() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def pending(url: str) -> tuple[str, ...]:
    """The revisions that the database lacks, oldest first."""
    missing = ScriptDirectory.from_config(config()).iterate_revisions("head", current(url) or "base")
    return tuple(reversed([revision.revision for revision in missing]))


@contextmanager
def _opened(url: str) -> Iterator[Database]:
    database = Database(create(url))
    try:
        yield database
    finally:
        database.close()


@contextmanager
def _alone(url: str) -> Iterator[Connection]:
    """A transaction in which no other node migrates."""
    with _opened(url) as database, database.transaction() as connection:
        if database.dialect == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        yield connection


def config(connection: Connection | None = None) -> Config:
    """Where our revisions are, for work on *connection*."""
    config = Config(attributes={"connection": connection, "metadata": Row.metadata})
    config.set_main_option("script_location", "authserver:migrations")
    config.set_main_option("path_separator", "os")
    return config
