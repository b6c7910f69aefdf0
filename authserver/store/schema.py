"""Whether the schema that a database has is one for this version of the server."""

from functools import cache

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from .database import Database
from .migrate import config


def fits(database: Database) -> bool:
    """Whether the schema is at our newest revision, or at one that we do not know since it is newer than we are."""
    with database.reading() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    head, known = _revisions()
    return found is not None and (found == head or found not in known)


@cache
def _revisions() -> tuple[str | None, frozenset[str]]:
    """The newest revision of this version, and all."""
    scripts = ScriptDirectory.from_config(config())
    return scripts.get_current_head(), frozenset(each.revision for each in scripts.walk_revisions())
