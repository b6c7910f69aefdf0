"""An operation of the API: one method of one path, what it takes and gives, and who may do it.

All that an operation is stands in its declaration: the frame and the OpenAPI document are made from that alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from ...protocol.audit import Event, Origin
from ...protocol.role import Permission
from ...services.deployment import Deployment
from ..backchannel.request import MOST_BODY

MOST_LINES = 200
LINES = 50
PLACE = r"^[0-9]{1,18}\.[!-~]{0,2048}$"
PLAIN = r"^[^\x00-\x1f\x7f]*$"

Query = TypeVar("Query", bound=BaseModel)
Body = TypeVar("Body", bound=BaseModel)
Item = TypeVar("Item", bound=BaseModel)


class Parameters(BaseModel):
    """What comes in: nothing else than what is declared."""

    model_config = ConfigDict(extra="forbid")


class Nothing(Parameters):
    """No parameters, or no body."""


class Paging(Parameters):
    """Which page of a list, the newest first."""

    after: str | None = Field(None, pattern=PLACE, description="`next` of the page before")
    limit: int = Field(LINES, ge=1, le=MOST_LINES, description="Lines of a page, at most")


class Searching(Paging):
    """A page of what has some words in its names."""

    q: str = Field("", max_length=200, pattern=PLAIN, description="A part of a name or an id")


class One(Parameters):
    """Which one it is about."""

    id: str = Field(min_length=1, max_length=2048, pattern=r"^[!-~]+$", description="Its id")


class Answer(BaseModel):
    """What goes out."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)


class Listed(Answer, Generic[Item]):
    """A page of a list."""

    items: list[Item]
    next: str | None = Field(description="`after` of the next page; null on the last one")


@dataclass(frozen=True, slots=True)
class Caller:
    """The client that calls, and what its token opens now."""

    client_id: str
    permissions: frozenset[Permission]


@dataclass(frozen=True, slots=True)
class Call(Generic[Query, Body]):
    """One call of an operation, authenticated and checked.

    ``seen`` is what `Operation.find` gave, where the caller has seen just that and says so by ``If-Match``: the act is
    on it as it was seen, or refused. None where it says nothing of the kind.
    """

    deployment: Deployment
    caller: Caller
    origin: Origin
    query: Query
    body: Body
    seen: Any = None

    def event(self, name: str) -> Event:
        """What the caller does, for the audit trail."""
        return Event(name, f"client:{self.caller.client_id}", self.origin)


@dataclass(frozen=True, slots=True)
class Operation(Generic[Query, Body]):
    """``run`` answers it: by a model of type ``answer``, or None for "done". It raises `problem.Problem`.

    ``find`` and ``shows`` are for an act on one thing: how it stands now, None if there is none, and what is told of
    it, which ``If-Match`` is compared with (RFC 9110 §13.1.1). ``seen`` says that the act wants that header, since it
    agrees to what was seen. ``once`` is for an act that counts twice when it is done twice (`once`). ``problems`` are
    the statuses of its own, besides those that every operation has. ``also`` are permissions that it needs besides,
    each with the words for when (`bearer.need`). ``most`` is how large its body may be, in bytes.
    """

    method: str
    path: str
    permission: Permission
    summary: str
    run: Callable[[Call[Query, Body]], Answer | None]
    query: type[Query]
    body: type[Body]
    answer: type[Answer] | None = None
    find: Callable[[Call[Query, Body]], object | None] | None = None
    shows: Callable[[Any], Answer] | None = None
    seen: bool = False
    once: bool = False
    problems: tuple[int, ...] = ()
    also: Mapping[Permission, str] = field(default_factory=dict)
    most: int = MOST_BODY

    @property
    def acts(self) -> bool:
        """Whether it changes something."""
        return self.method != "GET"


AnyOperation = Operation[Any, Any]


def reading(
    path: str,
    permission: Permission,
    summary: str,
    query: type[Query],
    answer: type[Answer],
    run: Callable[[Call[Query, Nothing]], Answer],
    **more: Any,  # noqa: ANN401 - the rest of the declaration
) -> AnyOperation:
    """An operation that gives something to read."""
    return Operation("GET", path, permission, summary, run, query, Nothing, answer, **more)


def acting(
    path: str,
    permission: Permission,
    summary: str,
    query: type[Query],
    run: Callable[[Call[Query, Nothing]], Answer | None],
    *,
    method: str = "POST",
    **more: Any,  # noqa: ANN401 - the rest of the declaration
) -> AnyOperation:
    """An operation that does something; done twice, it is done."""
    return Operation(method, path, permission, summary, run, query, Nothing, **more)
