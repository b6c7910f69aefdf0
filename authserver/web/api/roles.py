"""Roles, and what each opens; groups, of which rules of policy speak, and how many are in each."""

from pydantic import Field

from ...protocol.role import MOST_GROUP_NAME, Permission, Role
from .operation import PLAIN, Answer, AnyOperation, Call, Listed, Nothing, Paging, reading


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


class Members(Paging):
    """Whose members."""

    name: str = Field(min_length=1, max_length=MOST_GROUP_NAME, pattern=PLAIN, description="The group's name")


class Member(Answer):
    """Somebody in a group."""

    id: str
    username: str
    display_name: str


class MemberPage(Listed[Member]):
    """A page of the people in a group."""


def _roles(call: Call[Nothing, Nothing]) -> Roles:
    return Roles(items=[RoleState(role=role, permissions=[*filter(role.may, Permission)]) for role in Role])


def _groups(call: Call[Nothing, Nothing]) -> GroupSizes:
    found = call.deployment.stores.groups.sizes()
    return GroupSizes(items=[GroupSize(name=name, people=people) for name, people in found.items()])


def _members(call: Call[Members, Nothing]) -> MemberPage:
    wanted = call.query
    found = call.deployment.stores.groups.page(wanted.name, wanted.after, wanted.limit)
    lines = [{name: getattr(each, name) for name in Member.model_fields} for each in found]
    return MemberPage(items=[Member.model_validate(each) for each in lines], next=found.after)


OPERATIONS: tuple[AnyOperation, ...] = (
    reading("/roles", Permission.PEOPLE_READ, "What each role opens", Nothing, Roles, _roles),
    reading("/groups", Permission.PEOPLE_READ, "The groups that people are in", Nothing, GroupSizes, _groups),
    reading("/group", Permission.PEOPLE_READ, "Who is in a group", Members, MemberPage, _members),
)
