"""Replay: which grants and tokens of the last days other rules would have decided otherwise."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from ...protocol import tool_permission
from ...protocol.policy import items
from ...protocol.policy.request import Item, Request
from ...protocol.policy.ruling import Ruling
from ...protocol.resource import Resource
from ...store.audit import AuditListing
from ...store.grants import GrantListing
from ...store.policies import Policy
from ...store.stores import Stores
from .policies import Policies

NAMES = frozenset({"grant.approved", "code.redeemed", "token.refreshed", "token.issued"})
MOST_EVENTS = 200_000
DAY_MS = 24 * 3600 * 1000


@dataclass(slots=True)
class Otherwise:
    """Events of one kind that would be decided otherwise; ``lost`` and ``won`` are items, each with its rule."""

    name: str
    username: str
    client_id: str
    resource: str
    lost: tuple[str, ...]
    won: tuple[str, ...]
    refused: bool
    times: int = 0
    last_ms: int = 0


@dataclass(slots=True)
class Replayed:
    """What came of it: how many events were held against the rules, and whether older ones were left out."""

    events: int = 0
    cut: bool = False
    found: dict[tuple[object, ...], Otherwise] = field(default_factory=dict)

    @property
    def lines(self) -> list[Otherwise]:
        """The most frequent first."""
        return sorted(self.found.values(), key=lambda line: -line.times)


@dataclass(frozen=True, slots=True)
class Replay:
    """Holds *before* and *after*, two versions of the rules, against the audit trail, for *seconds* at the most."""

    stores: Stores
    policies: Policies
    before: Policy
    after: Policy
    seconds: float = math.inf
    _grants: dict[str, GrantListing | None] = field(default_factory=dict)
    _held: dict[str, tuple[Item, ...]] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)

    def run(self, since_ms: int) -> Replayed:
        """Hold what happened since then (Unix milliseconds) against both; reads only, the newest first."""
        resources, result = {one.identifier: one for one in self.stores.resources.all()}, Replayed()
        for line in self._events(since_ms, result):
            resource = resources.get(line.event.resource or "")
            if resource is not None:
                self._compare(line, resource, result)
        return result

    def _events(self, since_ms: int, result: Replayed) -> Iterator[AuditListing]:
        end = time.monotonic() + self.seconds
        for seen, line in enumerate(self.stores.audit.newest(since_ms)):
            if seen == MOST_EVENTS or time.monotonic() > end:
                result.cut = True
                return
            if line.event.name in NAMES and line.event.outcome == "success":
                yield line

    def _compare(self, line: AuditListing, resource: Resource, result: Replayed) -> None:
        event = line.event
        client = self.stores.clients.find(event.client_id or "")
        every = self._items(line, resource)
        if client is None or not every:
            return
        result.events += 1
        grant = self._grant(event.grant_id)
        through = self.policies.through(client, grant.redirect_host if grant else None)
        rulings = []
        for policy in (self.before, self.after):
            person = policy.person(event.user_id) if event.user_id is not None else None
            asked = Request(person, through, resource.identifier, line.at_ms // 1000, event.origin.address)
            rulings.append(self.policies.ruling(policy, asked, event.user_id, every, resource, fresh=True))
        self._note(line, rulings[0], rulings[1], result)

    def _note(self, line: AuditListing, before: Ruling, after: Ruling, result: Replayed) -> None:
        event = line.event
        lost, won = _more(before, after), _more(after, before)
        if not lost and not won:
            return
        username = self._name(event.user_id) if event.user_id else ""
        kind = (event.name, username, event.client_id or "", event.resource or "", lost, won, not after.scopes)
        found = result.found.setdefault(kind, Otherwise(*kind))
        found.times += 1
        found.last_ms = max(found.last_ms, line.at_ms)

    def _items(self, line: AuditListing, resource: Resource) -> tuple[Item, ...]:
        """What the event was about: what it says itself, or what its grant holds."""
        event = line.event
        said = event.detail.get("scopes")
        if event.grant_id is None or event.name == "token.issued":
            return items.held(resource, tuple(said.split()) if isinstance(said, str) else tuple(said or ()))
        if event.grant_id not in self._held:
            grant = self._grant(event.grant_id)
            tools = tool_permission.read(grant.tools) if grant else None
            self._held[event.grant_id] = items.held(resource, grant.scopes, tools) if grant else ()
        return self._held[event.grant_id]

    def _grant(self, grant_id: str | None) -> GrantListing | None:
        if grant_id is None:
            return None
        if grant_id not in self._grants:
            self._grants[grant_id] = self.stores.grants.find(grant_id)
        return self._grants[grant_id]

    def _name(self, user_id: str) -> str:
        if user_id not in self._names:
            person = self.stores.users.find(user_id)
            self._names[user_id] = person.username if person else user_id
        return self._names[user_id]


def _more(fewer: Ruling, more: Ruling) -> tuple[str, ...]:
    """What *more* leaves out and *fewer* does not, each with the rule by which."""
    known = {one.item.key for one in fewer.out}
    return tuple(f"{one.item.key} ({one.rule.name})" for one in more.out if one.item.key not in known)
