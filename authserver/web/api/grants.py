"""Grants: what people allowed which clients to do where, and their end."""

from pydantic import Field

from ...protocol.role import Permission
from ...services.mass_revocation import revoke_all
from ...store.grant_search import GrantFilter
from ...store.grants import GrantListing, Whose
from .bearer import need
from .clients import BULK_SECONDS, Seconds
from .operation import PLAIN, Answer, AnyOperation, Call, Listed, Nothing, One, Parameters, Searching, acting, reading
from .problem import Problem

USER = Field(None, max_length=2048, pattern=PLAIN, description="The id of a person")
CLIENT = Field(None, max_length=2048, pattern=PLAIN, description="The id of a client")
RESOURCE = Field(None, max_length=2048, pattern=PLAIN, description="The identifier of an MCP server")


class GrantState(Answer):
    """A grant."""

    id: str
    user_id: str
    username: str
    client_id: str
    client_name: str
    resource: str
    redirect_host: str
    scopes: list[str]
    created_at: Seconds
    updated_at: Seconds
    revoked_at: Seconds | None
    last_used_at: Seconds | None
    ends_at: Seconds | None = Field(description="When it ends by itself; null: when somebody ends it")
    with_session: bool = Field(description="Whether it ends with the browser session in which it was allowed")


class GrantPage(Listed[GrantState]):
    """A page of grants."""


class Grants(Searching):
    """Which grants: with some words in their names, or those that fit all of the others."""

    user: str | None = USER
    client: str | None = CLIENT
    resource: str | None = RESOURCE
    scope: str | None = Field(None, max_length=2048, pattern=PLAIN, description="A scope that they have")
    live: bool = Field(default=False, description="Only those that have not ended")


class Holder(Parameters):
    """Whose grants: of one person, one client or one server, or all."""

    user: str | None = USER
    client: str | None = CLIENT
    resource: str | None = RESOURCE
    all: bool = Field(default=False, description="Every grant that there is, whoever's")


class Revoked(Answer):
    """How far a mass revocation came."""

    revoked: int
    left: bool = Field(description="Whether some are left: ask again to go on")


def _list(call: Call[Grants, Nothing]) -> GrantPage:
    wanted, stores = call.query, call.deployment.stores
    which = GrantFilter(wanted.user, wanted.client, wanted.resource, wanted.scope, wanted.live)
    if wanted.q and which != GrantFilter():
        raise Problem(400, "q is not held together with other parameters: name what is looked for by these alone")
    if which != GrantFilter():
        found = stores.grant_search.page(which, wanted.after, wanted.limit)
    else:
        found = stores.grants.page(wanted.q, wanted.after, wanted.limit)
    return GrantPage(items=[_state(each) for each in found], next=found.after)


def _one(call: Call[One, Nothing]) -> GrantState:
    return _state(known_grant(call))


def _revoke(call: Call[One, Nothing]) -> None:
    call.deployment.stores.grants.revoke(known_grant(call).id, call.event("grant.revoked"))


def _revoke_all(call: Call[Holder, Nothing]) -> Revoked:
    wanted, grants = call.query, call.deployment.stores.grants
    if sum(each is not None for each in (wanted.user, wanted.client, wanted.resource)) + wanted.all != 1:
        raise Problem(400, "name one of user, client and resource, or say all")
    if wanted.all:
        need(call, Permission.EMERGENCY)
    whose = Whose(wanted.user, wanted.client, wanted.resource)
    ended = revoke_all(grants, whose, call.event("grants.revoked"), BULK_SECONDS)
    return Revoked(revoked=ended, left=grants.count_live(whose, 1) > 0)


def known_grant(call: Call[One, Nothing]) -> GrantListing:
    """The grant that a call is about, ended or not. Raises `Problem`."""
    found = call.deployment.stores.grants.find(call.query.id)
    if found is None:
        raise Problem(404, "there is no grant of this id")
    return found


def _state(found: GrantListing) -> GrantState:
    return GrantState.model_validate({name: getattr(found, name) for name in GrantState.model_fields})


OPERATIONS: tuple[AnyOperation, ...] = (
    reading("/grants", Permission.GRANTS_READ, "Grants, ended ones too, newest first", Grants, GrantPage, _list),
    reading("/grant", Permission.GRANTS_READ, "One grant", One, GrantState, _one),
    acting("/grant/revoke", Permission.GRANTS_REVOKE, "End a grant with its tokens", One, _revoke, find=known_grant,
           shows=_state),
    acting(
        "/grants/revoke", Permission.GRANTS_REVOKE_ALL, "End all grants of a person, to a client or at a server",
        Holder, _revoke_all, answer=Revoked, also={Permission.EMERGENCY: "with `all`"},
    ),
)  # fmt: skip
