"""How the schema is brought up to date while nodes use it."""

from typing import Annotated

from pydantic import Field

from .group import Group, Seconds


class Migrating(Group):
    """Migrations of the database (docs/production.md)."""

    migration_database_url: str = ""
    """URL that migrations connect to in place of ``database_url``: past a pooler, or as a role that may change the
    schema. Empty means the same one."""

    migration_lock_timeout: Seconds = 3
    """Seconds that a migration waits for a lock, with all queries of that table waiting behind it. Then it gives the
    queries way, and tries again."""

    migration_statement_timeout: Annotated[int, Field(ge=0)] = 300
    """Seconds that one statement of a migration may run before it is undone, 0 for any time. An index that is made
    beside the work (``CONCURRENTLY``) may take any time."""

    migration_tries: Annotated[int, Field(ge=1)] = 20
    """How often a migration that does not get its lock is tried, five seconds apart, before it gives up with nothing
    of it applied."""
