"""Which revision of the schema this code is written for, and which one a database has.

Nodes and commands ask for no more, so they do without Alembic, which takes long to load.
"""

import functools
from importlib.resources import files

from sqlalchemy import inspect, text

from .database import Database

TABLE = "alembic_version"
VERSION = text("SELECT version_num FROM alembic_version")


@functools.cache
def newest() -> str:
    """The revision that this code is written for: of the files of revisions the one with the greatest number."""
    names = (each.name for each in files("authserver").joinpath("migrations", "versions").iterdir())
    return max(name.partition("_")[0] for name in names if name[0].isdigit())


def of(database: Database) -> str | None:
    """The revision that *database* has, None if it is empty."""
    with database.reading() as connection:
        version: str | None = connection.scalar(VERSION) if inspect(connection).has_table(TABLE) else None
    return version
