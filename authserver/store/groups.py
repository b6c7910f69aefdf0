"""Groups: names that rules of policy use for some people. A group is there as long as somebody is in it."""

from collections.abc import Collection

from sqlalchemy import Connection, Delete, delete, func, insert, select

from ..protocol.audit import Event
from .audit import record
from .database import Database
from .epoch import ConfigEpoch
from .models import GroupMemberRow, UserRow
from .paging import Page, cut
from .policies import people_moved
from .user import User, user_of
from .users import NEWEST_FIRST


class GroupStore:
    """Who is in which group."""

    def __init__(self, database: Database, epoch: ConfigEpoch) -> None:
        """*epoch* tells other processes of a change."""
        self._database = database
        self._epoch = epoch

    def of(self, user_id: str) -> tuple[str, ...]:
        """The groups of a person, by name."""
        with self._database.reading() as connection:
            return _of(connection, user_id)

    def members(self) -> dict[str, tuple[str, ...]]:
        """The groups, by name, of each person who is in one, by user name."""
        joined = select(UserRow.username, GroupMemberRow.name).join(UserRow, UserRow.id == GroupMemberRow.user_id)
        found: dict[str, tuple[str, ...]] = {}
        with self._database.reading() as connection:
            for username, name in connection.execute(joined.order_by(UserRow.username, GroupMemberRow.name)):
                found[username] = (*found.get(username, ()), name)
        return found

    def sizes(self) -> dict[str, int]:
        """How many people each group has."""
        counted = select(GroupMemberRow.name, func.count()).group_by(GroupMemberRow.name).order_by(GroupMemberRow.name)
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(counted)}

    def page(self, name: str, after: str | None, limit: int) -> Page[User]:
        """Who is in the group *name*, those added last first."""
        members = select(UserRow, UserRow.created_at).join(GroupMemberRow, GroupMemberRow.user_id == UserRow.id)
        with self._database.session() as session:
            rows = session.execute(NEWEST_FIRST.limit(members.where(GroupMemberRow.name == name), after, limit)).all()
        page = cut([(user_of(row), created_at) for row, created_at in rows], limit, lambda line: (line[1], line[0].id))
        return Page(tuple(user for user, _ in page.lines), page.after)

    def exchange(self, user_id: str, seen: Collection[str], wanted: Collection[str], event: Event) -> bool:
        """Have a person in the groups *wanted* and no others, if they are in those that were *seen*; else False.

        Each group that is joined or left is an event of its own.
        """
        with self._database.transaction() as connection:
            # One after the other for a person, so that what was seen is what there is.
            connection.execute(select(UserRow.id).where(UserRow.id == user_id).with_for_update())
            if set(_of(connection, user_id)) != set(seen):
                return False
            self._exchange(connection, user_id, set(seen), set(wanted), event)
        self._epoch.forget()
        return True

    def _exchange(self, connection: Connection, user_id: str, old: set[str], new: set[str], event: Event) -> None:
        for name in sorted(new - old):
            connection.execute(insert(GroupMemberRow).values(user_id=user_id, name=name))
            record(
                connection, event.about(name="group.joined", user_id=user_id, detail={**event.detail, "group": name})
            )
        for name in sorted(old - new):
            connection.execute(_membership(user_id, name))
            record(connection, event.about(name="group.left", user_id=user_id, detail={**event.detail, "group": name}))
        if new != old:
            people_moved(connection)

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
        with self._database.transaction() as connection:
            if not connection.execute(_membership(user_id, name)).rowcount:
                return False
            people_moved(connection)
            record(connection, event.about(user_id=user_id, detail={"group": name}))
        self._epoch.forget()
        return True


def _of(connection: Connection, user_id: str) -> tuple[str, ...]:
    wanted = select(GroupMemberRow.name).where(GroupMemberRow.user_id == user_id).order_by(GroupMemberRow.name)
    return tuple(connection.scalars(wanted))


def _membership(user_id: str, name: str) -> Delete:
    return delete(GroupMemberRow).where(GroupMemberRow.user_id == user_id, GroupMemberRow.name == name)
