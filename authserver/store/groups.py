"""Groups: names that rules of policy use for some people. A group is there as long as somebody is in it."""

from sqlalchemy import delete, func, select

from ..protocol.audit import Event
from .audit import record
from .database import Database
from .epoch import ConfigEpoch
from .models import GroupMemberRow
from .policies import people_moved


class GroupStore:
    """Who is in which group."""

    def __init__(self, database: Database, epoch: ConfigEpoch) -> None:
        """*epoch* tells other processes of a change."""
        self._database = database
        self._epoch = epoch

    def of(self, user_id: str) -> tuple[str, ...]:
        """The groups of a person, by name."""
        wanted = select(GroupMemberRow.name).where(GroupMemberRow.user_id == user_id).order_by(GroupMemberRow.name)
        with self._database.reading() as connection:
            return tuple(connection.scalars(wanted))

    def sizes(self) -> dict[str, int]:
        """How many people each group has."""
        counted = select(GroupMemberRow.name, func.count()).group_by(GroupMemberRow.name).order_by(GroupMemberRow.name)
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(counted)}

    def add(self, user_id: str, name: str, event: Event) -> bool:
        """Put a person into the group *name*, at once for all tokens to come; False if they are in it already."""
        new = self._database.insert(GroupMemberRow).values(user_id=user_id, name=name).on_conflict_do_nothing()
        with self._database.transaction() as connection:
            if not connection.execute(new).rowcount:
                return False
            people_moved(connection)
            record(connection, event.about(user_id=user_id, detail={"group": name}))
        self._epoch.forget()
        return True

    def remove(self, user_id: str, name: str, event: Event) -> bool:
        """Take a person out of the group *name*; False if they are not in it."""
        gone = delete(GroupMemberRow).where(GroupMemberRow.user_id == user_id, GroupMemberRow.name == name)
        with self._database.transaction() as connection:
            if not connection.execute(gone).rowcount:
                return False
            people_moved(connection)
            record(connection, event.about(user_id=user_id, detail={"group": name}))
        self._epoch.forget()
        return True
