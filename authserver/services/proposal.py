"""What a person is asked to decide: the consent page as a value (AZ-8, AZ-9, AZ-14)."""

import hashlib
import json
from dataclasses import dataclass

from ..protocol import scope
from ..protocol.authorization import AuthorizationRequest
from ..protocol.registry.recognition import Recognition, recognise
from ..protocol.resource import Resource
from ..protocol.scope import Risk, Scope, Selection
from ..protocol.tool import Tool


@dataclass(frozen=True, slots=True)
class Asked:
    """A checked request, with the resource that it is about and the scopes that it comes to."""

    request: AuthorizationRequest
    resource: Resource
    selection: Selection


@dataclass(frozen=True, slots=True)
class Item:
    """One scope on the page, with the tools that it opens and the other scopes that it includes."""

    scope: Scope
    tools: tuple[Tool, ...]
    includes: tuple[Scope, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """All that the page shows.

    ``identity`` is what to think of the client, by its name and by where the browser will be sent. ``new`` needs a
    decision; ``standing`` is already allowed on this device and included (it can be unticked); what any of them
    implies is among them. ``left_out`` are scopes allowed earlier that can destroy and that this request
    did not ask for, so they do not join. ``is_first`` says that this person never allowed this client anything;
    ``former_name`` is how a client that has changed since was called then; ``must_ask``: the page must be shown.
    """

    asked: Asked
    identity: Recognition
    new: tuple[Item, ...]
    standing: tuple[Item, ...]
    left_out: tuple[Scope, ...]
    is_first: bool
    former_name: str | None
    must_ask: bool

    @property
    def redirect_host(self) -> str:
        """Where the browser will be sent."""
        return self.asked.request.redirect_host

    @property
    def leads_to_this_device(self) -> bool:
        """Whether any program on the person's device could be the client: loopback or private-use (RFC 8252 §8.4)."""
        return self.identity.on_device

    @property
    def names(self) -> frozenset[str]:
        """Every scope that can be ticked."""
        return frozenset(item.scope.name for item in (*self.new, *self.standing))

    def lacking(self, ticked: frozenset[str]) -> tuple[Scope, ...]:
        """What *ticked* scopes imply and is not ticked itself: such a decision contradicts itself."""
        needed = scope.expand(self.names & ticked, self.asked.resource.scopes)
        return tuple(s for s in self.asked.resource.scopes if s.name in needed and s.name not in ticked)

    @property
    def digest(self) -> str:
        """A fingerprint of what the page says, so that a decision counts only for what was shown.

        However it is sorted: the first click of two makes standing what was new (AZ-13).
        """
        items = sorted((*self.new, *self.standing), key=lambda item: item.scope.name)
        said = [
            self.asked.request.client.client_id,
            self.asked.request.client.name,
            self.asked.request.redirect_uri,
            self.identity.said,
            self.asked.resource.identifier,
            self.asked.resource.name,
            *[
                [
                    item.scope.name,
                    item.scope.description,
                    item.scope.risk,
                    [tool.title for tool in item.tools],
                    [other.name for other in item.includes],
                ]
                for item in items
            ],
        ]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Past:
    """What this person decided before about this client.

    ``granted`` are this device's scopes, ``consented`` those agreed to for this client, host and resource anywhere;
    ``client_name`` and ``client_identity`` are what the client was when they last decided (None: never).
    """

    granted: frozenset[str]
    consented: frozenset[str]
    is_first: bool
    client_name: str | None
    client_identity: bytes | None


def propose(asked: Asked, past: Past) -> Proposal:
    """Sort the scopes of *asked*, and all that they imply, into new and standing."""
    resource, client = asked.resource, asked.request.client
    wanted = frozenset(scope.expand(asked.selection.scopes, resource.scopes))
    joining = [name for name in past.granted if _may_join(name, wanted, resource)]
    shown = scope.expand(wanted.union(joining), resource.scopes)
    items = [_item(s, resource) for s in resource.scopes if s.name in shown]
    changed = past.client_identity is not None and past.client_identity != client.identity
    identity = recognise(client, asked.request.redirect_uri)
    quiet = not identity.on_device and "consent" not in asked.request.prompt and not changed
    return Proposal(
        asked=asked,
        identity=identity,
        new=tuple(item for item in items if item.scope.name not in past.granted),
        standing=tuple(item for item in items if item.scope.name in past.granted),
        left_out=tuple(s for s in resource.scopes if s.name in past.granted and s.name not in shown),
        is_first=past.is_first,
        former_name=past.client_name if changed else None,
        must_ask=not (quiet and (past.granted | past.consented).issuperset(shown)),
    )


def _may_join(name: str, wanted: frozenset[str], resource: Resource) -> bool:
    """Whether a scope granted earlier joins unasked: not if it, or what it implies, can destroy (AZ-14)."""
    reached = scope.expand([name], resource.scopes)
    harmful = (s.name for s in resource.scopes if s.risk is Risk.DESTRUCTIVE and s.name in reached)
    return wanted.issuperset(harmful)


def _item(shown: Scope, resource: Resource) -> Item:
    reached = scope.expand([shown.name], resource.scopes)
    return Item(
        shown,
        tools=tuple(tool for tool in resource.tools if shown.name in tool.scopes),
        includes=tuple(s for s in resource.scopes if s.name in reached and s is not shown),
    )
