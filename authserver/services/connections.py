"""A person's connections: what they let which apps do, what those did of it, and what was never needed."""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from ..protocol import scope, tool_permission
from ..protocol.audit import Event
from ..protocol.ports import Resources
from ..protocol.resource import Resource
from ..protocol.scope import Scope
from ..protocol.way import Way
from ..store.clients import ClientStore
from ..store.grants import GrantListing, GrantStore
from ..store.tool_calls import MOST_USES, ToolCallStore, Use
from ..store.watching import WatchStore


@dataclass(frozen=True, slots=True)
class Connection:
    """A live grant. ``resource`` is None for a server that is not there now; ``last_used_at`` in Unix seconds.

    ``tools`` are those that can be called now, each in its ways; ``unused_tools`` are of scopes that are in use;
    ``network`` is where it got its newest tokens from; ``likeness`` is the same for what people take for one app.
    """

    grant: GrantListing
    resource: Resource | None
    scopes: tuple[Scope, ...]
    uses: Mapping[str, Use]
    unused: tuple[Scope, ...]
    tools: Mapping[str, tuple[Way, ...]] = field(default_factory=dict)
    unused_tools: tuple[str, ...] = ()
    network: str | None = None
    likeness: bytes = b""

    @property
    def closable(self) -> tuple[str, ...]:
        """The tools that can be taken out one by one: those that somebody decided about."""
        return tuple(self.tools) if self.grant.tools is not None else ()

    def title(self, tool: str) -> str:
        """What people read of *tool*."""
        known = self.resource.tools if self.resource else ()
        return next((one.title for one in known if one.name == tool), tool)

    def contradicts(self, unticked: Collection[str]) -> bool:
        """Whether one of its scopes that stay includes one that is *unticked*: taking that out would end nothing."""
        left = [name for name in self.grant.scopes if name not in unticked]
        held = scope.expand(left, self.resource.scopes if self.resource else ())
        return not set(self.grant.scopes).intersection(unticked).isdisjoint(held)

    @property
    def last_used_at(self) -> int | None:
        """When its newest refresh token was made, or its newest call."""
        moments = [self.grant.last_used_at, *(use.last_at for use in self.uses.values())]
        return max((moment for moment in moments if moment is not None), default=None)

    @property
    def calls(self) -> int:
        """How often tools were called under it."""
        return sum(use.calls for use in self.uses.values())


@dataclass(frozen=True, slots=True)
class Connections:
    """What people see of their own grants. ``unused_after`` in seconds."""

    grants: GrantStore
    clients: ClientStore
    calls: ToolCallStore
    networks: WatchStore
    resources: Resources
    unused_after: int

    def of(self, user_id: str) -> tuple[Connection, ...]:
        """The live grants of a person, newest first."""
        grants = self.grants.for_user(user_id)
        uses = self.calls.uses(user_id)
        known = {one.identifier: one for one in self.resources.all()}
        now = int(time.time())
        told = self.calls.told(self.unused_after, {grant.resource for grant in grants})
        if sum(map(len, uses.values())) >= MOST_USES:
            told = frozenset()  # there are more, so nobody can say what was not used
        since = now - self.unused_after
        networks = self.networks.networks([grant.id for grant in grants])
        found = []
        for grant in grants:
            resource, used = known.get(grant.resource), uses.get(grant.id, {})
            old = grant.created_at <= since and grant.resource in told
            called = {tool for tool, use in used.items() if use.last_at > since}
            spare = unused(grant.scopes, called, resource) if resource and old else ()
            tools = _tools(grant, resource, now) if resource else {}
            idle = _idle(tools, called, spare, resource) if resource and old and grant.tools is not None else ()
            scopes, unneeded = _scopes(grant.scopes, resource), _scopes(spare, resource)
            client, ages = self.clients.find(grant.client_id), networks.get(grant.id, {})
            likeness = client.likeness if client else grant.client_id.encode()
            newest = min(ages, key=ages.__getitem__, default=None)
            found.append(Connection(grant, resource, scopes, used, unneeded, tools, idle, newest, likeness))
        return tuple(found)

    def alike(self, connection: Connection) -> tuple[Connection, ...]:
        """All of the same person that people take for the same app: it has a grant on each device (AZ-14)."""
        return tuple(one for one in self.of(connection.grant.user_id) if one.likeness == connection.likeness)

    def narrow(
        self, connection: Connection, scopes: Collection[str], tools: Collection[str], event: Event
    ) -> tuple[str, ...]:
        """Take *scopes* and *tools* out of the grant; returns what it had of them. One that loses all scopes ends."""
        return self.grants.withdraw(connection.grant.id, scopes, event, tools)

    def find(self, user_id: str, grant_id: str) -> Connection | None:
        """That of a live grant of this person; None for anybody else's."""
        return next((one for one in self.of(user_id) if one.grant.id == grant_id), None)

    def remove_unused(
        self, connection: Connection, scopes: Collection[str], tools: Collection[str], event: Event
    ) -> tuple[str, ...]:
        """Take those of *scopes* and *tools* out of the grant that still are unused; returns them."""
        spare = {one.name for one in connection.unused}.intersection(scopes)
        idle = set(connection.unused_tools).intersection(tools)
        return self.grants.withdraw(connection.grant.id, spare, event, idle) if spare or idle else ()


def _tools(grant: GrantListing, resource: Resource, now: int) -> dict[str, tuple[Way, ...]]:
    """The tools that *grant* opens at *now*, each in its ways."""
    held = scope.expand(grant.scopes, resource.scopes)
    decisions = tool_permission.read(grant.tools)
    if decisions is None:
        decisions = tool_permission.unasked(resource, held)
    found: dict[str, tuple[Way, ...]] = {}
    for name, way in tool_permission.opened(resource, held, decisions, now):
        found[name] = (*found.get(name, ()), way)
    return found


def _idle(
    tools: Collection[str], called: Collection[str], spare: Collection[str], resource: Resource
) -> tuple[str, ...]:
    """Which of *tools* nobody *called*, but for those that go with a *spare* scope."""
    going = {tool.name for tool in resource.tools if not set(spare).isdisjoint(tool.scopes)}
    return tuple(name for name in tools if name not in called and name not in going)


def unused(granted: Collection[str], called: Collection[str], resource: Resource) -> tuple[str, ...]:
    """Which of the *granted* scopes no tool of *called* needed.

    A call needs of several scopes that would open it the narrowest. Scopes that no tool names are not judged, and the
    default ones stay: a guard asks for them at every request. Nor is a scope unused that one in use contains.
    """
    contains = {name: frozenset({name, *scope.expand([name], resource.scopes)}) for name in granted}
    needed = {name for tool in resource.tools if tool.name in called for name in tool.scopes}
    used = {name for need in needed for name in _narrowest(need, contains)}
    named = {name for tool in resource.tools for name in tool.scopes}
    kept = {
        name for name in granted if name in used or name in resource.default_scopes or named.isdisjoint(contains[name])
    }
    held = {inner for name in kept for inner in contains[name]}
    return tuple(name for name in granted if name not in held)


def _narrowest(need: str, contains: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    """The granted scopes that open *need* and contain no other that does."""
    open_it = {name for name, inner in contains.items() if need in inner}
    return tuple(name for name in open_it if not open_it.intersection(contains[name] - {name}))


def _scopes(names: Collection[str], resource: Resource | None) -> tuple[Scope, ...]:
    """*names* with their words; those that the resource lacks by now say only their name."""
    known = {one.name: one for one in resource.scopes} if resource else {}
    return tuple(known.get(name, Scope(name, name)) for name in names)
