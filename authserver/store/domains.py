"""What administrators decided about the domains that clients come from (CR-10)."""

from collections.abc import Mapping

from sqlalchemy import Delete, Insert, Update, delete, select, update

from ..protocol.audit import Event
from ..protocol.domain import Decision
from .audit import record
from .clock import now
from .database import Database
from .epoch import ConfigEpoch, OfEpoch, bump
from .models import DomainPolicyRow

ROW = DomainPolicyRow


class DomainStore:
    """Decisions by domain. All of them are kept in memory, and read again when the configuration's epoch has moved."""

    def __init__(self, database: Database, epoch: ConfigEpoch) -> None:
        """*epoch* tells when another process changed one."""
        self._database = database
        self._epoch = epoch
        self._known = OfEpoch(epoch, self._read)

    def all(self) -> Mapping[str, Decision]:
        """The decision for each domain. At most a second older than any change."""
        return self._known.current()

    def find(self, domain: str) -> Decision | None:
        """What was decided about exactly *domain*, as it stands now; None if nothing was."""
        with self._database.reading() as connection:
            found = connection.scalar(select(ROW.decision).where(ROW.domain == domain))
        return None if found is None else Decision(found)

    def exchange(self, domain: str, seen: Decision | None, wanted: Decision | None, event: Event) -> bool:
        """Put *wanted* in the place of *seen*; None is no decision. False, with nothing done, if it is another one."""
        with self._database.transaction() as connection:
            changed = self._exchanged(domain, seen, wanted).returning(ROW.domain)
            if connection.scalar(changed) is None:
                return False
            bump(connection)
            record(connection, event)
        self._epoch.forget()
        return True

    def decide(self, domain: str, decision: Decision, event: Event) -> None:
        """Set the decision for *domain*."""
        given = {"decision": decision, "created_at": now}
        decided = self._database.insert(ROW).values(domain=domain, **given)
        with self._database.transaction() as connection:
            connection.execute(decided.on_conflict_do_update(index_elements=["domain"], set_=given))
            bump(connection)
            record(connection, event)
        self._epoch.forget()

    def forget(self, domain: str, event: Event) -> bool:
        """Take the decision for *domain* back; False if there was none."""
        with self._database.transaction() as connection:
            if not connection.execute(delete(ROW).where(ROW.domain == domain)).rowcount:
                return False
            bump(connection)
            record(connection, event)
        self._epoch.forget()
        return True

    def _exchanged(self, domain: str, seen: Decision | None, wanted: Decision | None) -> Insert | Update | Delete:
        if seen is None:
            new = self._database.insert(ROW).values(domain=domain, decision=wanted, created_at=now)
            return new.on_conflict_do_nothing()
        as_seen = (ROW.domain == domain, ROW.decision == seen)
        if wanted is None:
            return delete(ROW).where(*as_seen)
        return update(ROW).where(*as_seen).values(decision=wanted, created_at=now)

    def _read(self) -> dict[str, Decision]:
        with self._database.reading() as connection:
            rows = connection.execute(select(ROW.domain, ROW.decision))
            return {row.domain: Decision(row.decision) for row in rows}
