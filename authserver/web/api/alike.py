"""Registrations that are alike: of the same name, sending to the same hosts. Those that nobody used end all at once."""

from pydantic import Field

from ...protocol.credential import base64url, from_base64url
from ...protocol.role import Permission
from .clients import BULK_SECONDS, Seconds
from .operation import Answer, AnyOperation, Call, Nothing, One, Parameters, acting, reading
from .problem import Problem

MOST_GROUPS = 200
MOST_COUNTED = 10_000


class Groups(Parameters):
    """How many groups, the largest first."""

    limit: int = Field(50, ge=1, le=MOST_GROUPS)


class GroupState(Answer):
    """A group: the name and redirect URIs of one of them, and how many there are that nobody used."""

    id: str = Field(description="`group` of the list of clients")
    name: str
    redirect_uris: list[str]
    unused: int
    oldest: Seconds
    newest: Seconds


class GroupList(Answer):
    """The largest groups."""

    items: list[GroupState]
    unused: int = Field(description="Registrations that nobody used, in groups or not; counted to 10,000")


class Deleted(Answer):
    """How far a deletion came."""

    deleted: int
    left: bool = Field(description="Whether some are left: ask again to go on")


def _list(call: Call[Groups, Nothing]) -> GroupList:
    known, names = call.deployment.stores.registrations, GroupState.model_fields.keys() - {"id"}
    lines = [
        {"id": base64url(each.likeness), **{name: getattr(each, name) for name in names}}
        for each in known.alike(call.query.limit)
    ]
    return GroupList(items=[GroupState.model_validate(each) for each in lines], unused=known.count_unused(MOST_COUNTED))


def _delete(call: Call[One, Nothing]) -> Deleted:
    likeness, reaper = from_base64url(call.query.id), call.deployment.reaper
    if not likeness or not call.deployment.stores.clients.page("", None, 1, likeness=likeness).lines:
        raise Problem(404, "there is no such group: nobody is in it")
    deleted = reaper.delete_alike(likeness, call.event("clients.deleted"), BULK_SECONDS)
    return Deleted(deleted=deleted, left=reaper.count_alike(likeness, 1) > 0)


OPERATIONS: tuple[AnyOperation, ...] = (
    reading("/clients/alike", Permission.CLIENTS_READ, "Groups of registrations that nobody used and that are alike",
            Groups, GroupList, _list),
    acting(
        "/clients/group", Permission.CLIENTS_DELETE,
        "Delete what nobody used of a group, but what is younger than an hour", One, _delete, method="DELETE",
        answer=Deleted,
    ),
)  # fmt: skip
