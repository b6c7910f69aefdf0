"""Client assertions that were used: implements `protocol.ports.UsedAssertions`."""

from .database import Database
from .models import UsedAssertionRow

USE = """
WITH soon AS (SELECT set_config('synchronous_commit', 'off', true))
INSERT INTO used_assertions (digest, expires_at) SELECT %(digest)s, %(expires_at)s::bigint FROM soon
ON CONFLICT DO NOTHING RETURNING expires_at
"""
# Others see the row at once; it only need not be on disk when the answer comes, which halves the cost. The log is
# written in order: whatever the request changes next is committed durably, and this before it. So what a crash of
# the database can lose is the use of an assertion by a request that changed nothing.


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
