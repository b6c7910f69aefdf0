"""What a person is asked to decide: the consent page as a value (AZ-8, AZ-9, AZ-14)."""

import hashlib
import json
from dataclasses import dataclass

from ..protocol import redirect_uri, scope
from ..protocol.authorization import AuthorizationRequest
from ..protocol.client import ClientKind
from ..protocol.resource import Resource
from ..protocol.scope import Risk, Scope, Selection, Tool


@dataclass(frozen=True, slots=True)
class Asked:
    """A checked request, with the resource that it is about and the scopes that it comes to."""

    request: AuthorizationRequest
    resource: Resource
    selection: Selection


@dataclass(frozen=True, slots=True)
class Item:
    """One scope on the page, with the tools that it opens."""

    scope: Scope
    tools: tuple[Tool, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """All that the page shows.

    ``new`` needs a decision; ``standing`` is already allowed on this device and included (it can be unticked);
    ``left_out`` are destructive scopes allowed earlier that this request did not ask for, so they do not join.
    ``is_first`` says that this person never allowed this client anything; ``must_ask`` that the page must be shown.
    """

    asked: Asked
    new: tuple[Item, ...]
    standing: tuple[Item, ...]
    left_out: tuple[Scope, ...]
    is_first: bool
    must_ask: bool

    @property
    def redirect_host(self) -> str:
        """Where the browser will be sent."""
        return self.asked.request.redirect_host

    @property
    def leads_to_this_device(self) -> bool:
        """Whether any program on the person's device could be the client: loopback or private-use (RFC 8252 §8.4)."""
        return stays_on_device(self.asked.request.redirect_uri)

    @property
    def is_verified(self) -> bool:
        """Whether an administrator vouches for the client's name; a dynamic client's is its own word."""
        return self.asked.request.client.kind is ClientKind.PREREGISTERED

    @property
    def names(self) -> frozenset[str]:
        """Every scope that can be ticked."""
        return frozenset(item.scope.name for item in (*self.new, *self.standing))

    @property
    def digest(self) -> str:
        """A fingerprint of what the page says, so that a decision counts only for what was shown."""
        said = [
            self.asked.request.client.client_id,
            self.asked.request.client.name,
            self.asked.request.redirect_uri,
            self.asked.resource.identifier,
            self.asked.resource.name,
            *[
                [
                    item.scope.name,
                    item.scope.description,
                    item.scope.risk,
                    [tool.title for tool in item.tools],
                ]
                for item in (*self.new, *self.standing)
            ],
        ]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def stays_on_device(uri: str) -> bool:
    """Whether a redirect URI is loopback or private-use: its client can never be told from another program."""
    return redirect_uri.is_loopback(uri) or redirect_uri.is_private_use(uri)


def propose(asked: Asked, *, granted: frozenset[str], consented: frozenset[str], is_first: bool) -> Proposal:
    """Sort the scopes of *asked* into new and standing.

    *granted* are this device's, *consented* what the person agreed to for this client, host and resource anywhere.
    """
    resource, wanted = asked.resource, asked.selection.scopes
    covered = scope.expand(granted, resource.scopes)
    remembered = set(scope.expand(granted | consented, resource.scopes))
    joins = [s for s in resource.scopes if s.name in granted and (s.risk is not Risk.DESTRUCTIVE or s.name in wanted)]
    fresh = [s for s in resource.scopes if s.name in wanted and s.name not in covered]
    quiet = not stays_on_device(asked.request.redirect_uri) and "consent" not in asked.request.prompt
    return Proposal(
        asked=asked,
        new=tuple(_item(s, resource) for s in fresh),
        standing=tuple(_item(s, resource) for s in joins),
        left_out=tuple(s for s in resource.scopes if s.name in granted and s not in joins),
        is_first=is_first,
        must_ask=not (quiet and remembered.issuperset(wanted)),
    )


def _item(shown: Scope, resource: Resource) -> Item:
    return Item(shown, tuple(tool for tool in resource.tools if shown.name in tool.scopes))
