"""Roles and groups in a file, of people who are there: it makes nobody, and is silent about whom it does not name."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ...protocol.audit import Event
from ...protocol.flaw import Flaw
from ...protocol.role import Role
from ...store.stores import Stores
from ...store.user import User
from ...store.users import LastOwner
from .changes import APPLY, CHANGE, Overtaken
from .declared import PersonEntry
from .difference import Difference, between


@dataclass(frozen=True, slots=True)
class RoleChange:
    """Give a person another role."""

    user: User
    role: Role
    mark: str = CHANGE
    consequence: str = ""

    @property
    def subject(self) -> str:
        """What it is about."""
        return f"user {self.user.username}"

    @property
    def differences(self) -> tuple[Difference, ...]:
        """The role until now, and the other."""
        return (Difference("role", (self.user.role,), (self.role,)),)

    def make(self, stores: Stores, by: Event = APPLY) -> None:
        """Do it. Raises `Overtaken`, also if no owner would be left."""
        event = by.about(name="user.role_changed")
        try:
            given = stores.users.set_role(self.user.id, self.role, self.user.role, event)
        except LastOwner as last:
            raise Overtaken(f"{self.subject}: {last}") from None
        if not given:
            raise Overtaken(f"{self.subject} was given a role by someone else in this moment")


@dataclass(frozen=True, slots=True)
class GroupsChange:
    """Have a person in other groups; ``before`` are those until now."""

    user: User
    before: tuple[str, ...]
    after: tuple[str, ...]
    mark: str = CHANGE
    consequence: str = ""

    @property
    def subject(self) -> str:
        """What it is about."""
        return f"user {self.user.username}"

    @property
    def differences(self) -> tuple[Difference, ...]:
        """The groups that are left, and those that are joined."""
        return between({"groups": self.before}, {"groups": self.after})

    def make(self, stores: Stores, by: Event = APPLY) -> None:
        """Do it. Raises `Overtaken`."""
        if not stores.groups.exchange(self.user.id, self.before, self.after, by):
            raise Overtaken(f"{self.subject} was put into other groups by someone else in this moment")


def flaws(stores: Stores, wanted: Iterable[PersonEntry]) -> Iterator[Flaw]:
    """People who are not there, and who are there twice."""
    seen: set[str] = set()
    for position, entry in enumerate(wanted):
        user = stores.users.by_name(entry.username)
        if user is None:
            yield Flaw(("people", position, "username"), f"there is no user {entry.username!r}: 'authserver user add'")
        elif user.id in seen:
            yield Flaw(("people", position, "username"), "is there twice")
        else:
            seen.add(user.id)


def changes(stores: Stores, wanted: Iterable[PersonEntry]) -> Iterator[RoleChange | GroupsChange]:
    """What makes roles and groups as they are *wanted*, which has no flaws: owners come before others cease to be."""
    people = [(user, entry) for entry in wanted if (user := stores.users.by_name(entry.username)) is not None]
    roles = [RoleChange(user, entry.role) for user, entry in people if entry.role not in (None, user.role)]
    yield from sorted(roles, key=lambda change: change.role is not Role.OWNER)
    for user, entry in people:
        known, groups = stores.groups.of(user.id), tuple(sorted(set(entry.groups or ())))
        if entry.groups is not None and groups != known:
            yield GroupsChange(user, known, groups)
