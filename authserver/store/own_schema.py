"""Whether the database has the schema that this code is written for."""

import structlog

from .database import Database
from .schema_version import VERSION, newest

log = structlog.get_logger(__name__)


class OwnSchema:
    """What readiness asks: one small query until the schema is there, and none from then on.

    A newer one will do: it has all that this code needs, since it takes nothing away that the code of before uses.
    """

    def __init__(self, database: Database) -> None:
        """Opens no connection."""
        self._database = database
        self._found = False

    def is_there(self) -> bool:
        """Whether this node can serve; it says in the log what to do if not.

        Raises ``SQLAlchemyError`` when the database is away, or has no schema at all.
        """
        if not self._found:
            with self._database.reading() as connection:
                version = str(connection.scalar(VERSION) or "")
            self._found = version >= newest()
            if not self._found:
                log.error("the database must be migrated: run 'authserver migrate'", has=version, needs=newest())
        return self._found
