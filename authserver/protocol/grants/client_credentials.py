"""The client credentials grant (OAuth 2.1 §4.2, EX-1): a client for itself, within what an administrator allowed it."""

from dataclasses import dataclass, replace
from typing import Protocol

from ..access_token import ClientAuthority
from ..audit import Event
from ..client import Client, GrantType
from ..errors import InvalidScope, TemporarilyUnavailable, UnauthorizedClient
from ..ports import AccessTokens, Resources
from ..resource import Resource, match
from ..scope import within
from . import Outcome, TokenRequest


class Policies(Protocol):
    """The rules that an administrator made: no person is there, so they decide."""

    def alone(self, client: Client, resource: Resource, scopes: tuple[str, ...], event: Event) -> tuple[str, ...]:
        """What they leave of *scopes*. Raises `UnauthorizedClient` if that is nothing."""


@dataclass(frozen=True, slots=True)
class ClientCredentialsGrant:
    """Issues tokens that stand on their client alone: without a person, a grant, or a refresh token.

    ``own_api`` is the resource identifier of this server's API.
    """

    resources: Resources
    tokens: AccessTokens
    own_api: str
    policies: Policies
    grant_type: str = GrantType.CLIENT_CREDENTIALS

    def meant(self, request: TokenRequest) -> str | None:
        """None: what it means is found where it acts, and nothing is used up by that."""

    def act(self, request: TokenRequest) -> Outcome:
        """Give the client what it asks for of its ceiling, or all of it if it asks for nothing."""
        client = request.client
        if not client.may_act_alone():
            raise UnauthorizedClient("client_credentials is for clients that an administrator registered for it")
        resource = match((request.resource,) if request.resource else (), self.resources.all())
        ceiling = client.ceilings.get(resource.identifier, ())
        scopes = within(ceiling, request.scopes, resource.scopes, own=resource.identifier == self.own_api)
        if not scopes:
            raise InvalidScope("an administrator has allowed this client nothing of it: 'authserver client allow' does")
        scopes = self.policies.alone(client, resource, scopes, request.event)
        authority = ClientAuthority(client.client_id, resource.identifier, scopes)
        event = request.event.about(name="token.issued", resource=resource.identifier, detail={"scopes": list(scopes)})
        position = self.tokens.issue(authority, ceiling, event)
        if position is None:
            raise TemporarilyUnavailable("what this client may do has just been changed: ask again", retry_after=1)
        return Outcome(replace(authority, position=position), None)
