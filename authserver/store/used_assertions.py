"""Client assertions that were used: implements `protocol.ports.UsedAssertions`."""

from .database import Database
from .models import UsedAssertionRow

USE = """
INSERT INTO used_assertions (digest, expires_at) VALUES (%(digest)s, %(expires_at)s::bigint)
ON CONFLICT DO NOTHING RETURNING expires_at
"""


class UsedAssertionStore:
    """What was used is kept until it has expired; the database, which all processes share, decides who was first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def use(self, digest: bytes, expires_at: int) -> bool:
        """Note that an assertion is used, which ends at *expires_at* (Unix seconds); False if it was used before.

        Of any number of concurrent uses, in whatever processes, exactly one gets True.
        """
        used = {"digest": digest, "expires_at": expires_at}
        if self._database.dialect == "postgresql":
            return self._database.at_once(USE, used) is not None
        first = self._database.insert(UsedAssertionRow).values(**used).on_conflict_do_nothing()
        with self._database.transaction() as connection:
            return bool(connection.execute(first).rowcount)
