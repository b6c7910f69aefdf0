"""Root secrets: implements `keys.roots.RootStore`."""

from sqlalchemy import select, update

from ..keys.roots import StoredRoot
from ..protocol.audit import Event
from .audit import record
from .clock import now
from .database import Database
from .epoch import ConfigEpoch, bump
from .models import RootSecretRow


class RootStore:
    """Root secrets, wrapped; every change is seen by all nodes within a second."""

    def __init__(self, database: Database, epoch: ConfigEpoch) -> None:
        """*epoch* tells other processes of a change."""
        self._database = database
        self._epoch = epoch

    def all(self) -> tuple[StoredRoot, ...]:
        """All, oldest first."""
        columns = [getattr(RootSecretRow, name) for name in StoredRoot.__slots__]
        with self._database.reading() as connection:
            found = connection.execute(select(*columns).order_by(RootSecretRow.number))
            return tuple(StoredRoot(*row) for row in found)

    def add(self, number: int, wrapped: bytes, kek: str, event: Event) -> bool:
        """Save a new one; False, with nothing done, if there is one of this number."""
        columns = {"number": number, "wrapped": wrapped, "kek": kek, "created_at": now}
        new = (
            self._database.insert(RootSecretRow)
            .values(columns)
            .on_conflict_do_nothing()
            .returning(RootSecretRow.number)
        )
        with self._database.transaction() as connection:
            added = connection.execute(new).first() is not None
            if added:
                bump(connection)
                record(connection, event)
        self._epoch.forget()
        return added

    def rewrap(self, root: StoredRoot, wrapped: bytes, kek: str, event: Event) -> bool:
        """Keep *root* as *wrapped* by another *kek*; False, with nothing done, if it is not as it was any more."""
        as_it_was = (RootSecretRow.number == root.number, RootSecretRow.wrapped == root.wrapped)
        with self._database.transaction() as connection:
            change = update(RootSecretRow).where(*as_it_was).values(wrapped=wrapped, kek=kek)
            changed = connection.execute(change).rowcount == 1
            if changed:
                bump(connection)
                record(connection, event)
        self._epoch.forget()
        return changed
