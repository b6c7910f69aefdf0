"""Roles, and what each opens; groups, of which rules of policy speak, and how many are in each."""

from pydantic import Field

from ...protocol.role import Permission, Role
from .operation import Answer, AnyOperation, Call, Nothing, reading


class RoleState(Answer):
    """A role."""

    role: Role
    permissions: list[Permission]


class Roles(Answer):
    """All roles, from the one that opens everything down."""

    items: list[RoleState]


class GroupSize(Answer):
    """A group that somebody is in."""

    name: str
    people: int


class GroupSizes(Answer):
    """All groups, by name."""

    items: list[GroupSize] = Field(description="Put people into more by `PUT /person/groups`: no group is made apart")


def _roles(call: Call[Nothing, Nothing]) -> Roles:
    return Roles(items=[RoleState(role=role, permissions=[*filter(role.may, Permission)]) for role in Role])


def _groups(call: Call[Nothing, Nothing]) -> GroupSizes:
    found = call.deployment.stores.groups.sizes()
    return GroupSizes(items=[GroupSize(name=name, people=people) for name, people in found.items()])


OPERATIONS: tuple[AnyOperation, ...] = (
    reading("/roles", Permission.PEOPLE_READ, "What each role opens", Nothing, Roles, _roles),
    reading("/groups", Permission.PEOPLE_READ, "The groups that people are in", Nothing, GroupSizes, _groups),
)
