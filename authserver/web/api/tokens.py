"""Tokens: what a value is that somebody found, and the refresh families under a grant.

The value comes in a body and is told nowhere: it is in no URL, no log and no answer.
"""

from pydantic import Field, SecretStr

from ...protocol.role import Permission
from ...services.token_lookup import LONGEST, Kind, Standing, TokenLookup
from ...store.grant_search import MOST_FAMILIES
from .clients import Seconds
from .grants import known_grant
from .operation import Answer, AnyOperation, Call, Nothing, One, Operation, Parameters, acting, reading
from .problem import Problem


class Value(Parameters):
    """What somebody found."""

    token: SecretStr = Field(min_length=1, max_length=LONGEST, description="A token, or the id of one")


class FoundState(Answer):
    """What a value is and belongs to; what is not known is null."""

    kind: Kind
    standing: Standing = Field(description="Whether it still opens anything")
    grant_id: str | None
    family_id: str | None
    client_id: str | None
    resource: str | None
    scopes: list[str]
    expires_at: Seconds | None


class FamilyState(Answer):
    """A refresh family: the tokens that followed from one sign-in."""

    id: str
    grant_id: str
    client_id: str
    resource: str
    scopes: list[str]
    created_at: Seconds
    expires_at: Seconds
    revoked_at: Seconds | None
    last_used_at: Seconds | None


class Families(Answer):
    """The newest families of a grant, newest first."""

    items: list[FamilyState] = Field(max_length=MOST_FAMILIES)


def _find(call: Call[Nothing, Value]) -> FoundState:
    found = TokenLookup(call.deployment.stores, call.deployment.token.formats)
    return FoundState.model_validate(found.find(call.body.token.get_secret_value()))


def _families(call: Call[One, Nothing]) -> Families:
    found = call.deployment.stores.grant_search.families(known_grant(call).id)
    return Families(items=[FamilyState.model_validate(each) for each in found])


def _revoke(call: Call[One, Nothing]) -> None:
    family = call.deployment.stores.grant_search.family(call.query.id)
    if family is None:
        raise Problem(404, "there is no refresh family of this id")
    event = call.event("family.revoked").about(grant_id=family.grant_id)
    call.deployment.stores.refresh_tokens.revoke_family(family.id, event)


OPERATIONS: tuple[AnyOperation, ...] = (
    Operation(
        "POST", "/token/find", Permission.GRANTS_READ, "What a value is that somebody found", _find, Nothing, Value,
        FoundState,
    ),
    reading("/grant/families", Permission.GRANTS_READ, "The refresh families of a grant", One, Families, _families),
    acting("/family/revoke", Permission.GRANTS_REVOKE, "End a refresh family with its access tokens; the grant stays",
           One, _revoke),
)  # fmt: skip
