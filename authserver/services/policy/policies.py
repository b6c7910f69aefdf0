"""Policy at work: the rules that count, held against what people and clients ask for (docs/policies.md)."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from ...protocol import scope, tool_permission
from ...protocol.access_token import Authority, ClientAuthority
from ...protocol.audit import Event, Origin
from ...protocol.client import Client
from ...protocol.domain import Decision, decision_about
from ...protocol.errors import InvalidGrant, PolicyRefused, UnauthorizedClient
from ...protocol.policy import items, request
from ...protocol.policy.request import Item, Request, Through
from ...protocol.policy.ruling import Ruling, Standing, rule_on
from ...protocol.ports import RefreshTokens, Resources
from ...protocol.resource import Resource, identified
from ...protocol.trace.step import Cause
from ...store.audit import AuditStore
from ...store.domains import DomainStore
from ...store.pending_grants import PendingGrantStore
from ...store.policies import Policy, PolicyStore

NOT_HERE = "a rule of this server does not allow that: ask an administrator"
Authorities = Authority | ClientAuthority


@dataclass(frozen=True, slots=True)
class Left:
    """What policy leaves of an authority: ``scopes``, and no tool that is ``closed``."""

    scopes: tuple[str, ...]
    closed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Policies:
    """Decides by the rules that count. Without rules every verb answers at once."""

    rules: PolicyStore
    domains: DomainStore
    pending_grants: PendingGrantStore
    resources: Resources
    families: RefreshTokens
    audit: AuditStore

    def through(self, client: Client) -> Through:
        """*client* as rules know it now."""
        host = request.publisher(client)
        allowed = bool(host) and decision_about(host, self.domains.all()) is Decision.ALLOW
        return request.through(client, vouched=allowed)

    def ruling(
        self, asked: Request, user_id: str | None, every: Iterable[Item], resource: Resource, *, fresh: bool
    ) -> Ruling:
        """What the rules leave of *every* item; *fresh*: the person has signed in lately."""
        return self.ruling_by(self.rules.current(), asked, user_id, every, resource, fresh=fresh)

    def ruling_by(
        self,
        policy: Policy,
        asked: Request,
        user_id: str | None,
        every: Iterable[Item],
        resource: Resource,
        *,
        fresh: bool,
    ) -> Ruling:
        """The same by *policy*, which need not be the one that counts."""
        about = (user_id or "", asked.through.client_id, asked.server)
        standing = Standing(fresh, partial(self.pending_grants.approved, *about))
        return rule_on(policy.rules, asked, every, standing, lambda name: scope.expand([name], resource.scopes))

    def request(self, policy: Policy, user_id: str | None, client: Client, server: str, origin: Origin) -> Request:
        """Who asks now, as rules know it. ``user_id`` is None for a client that asks for itself."""
        person = policy.person(user_id) if user_id is not None else None
        return Request(person, self.through(client), server, int(time.time()), origin.address)

    def alone(self, client: Client, resource: Resource, scopes: tuple[str, ...], event: Event) -> tuple[str, ...]:
        """What is left of *scopes* for a client that asks for itself. Raises `UnauthorizedClient` if nothing is."""
        left, ruling = self._left(ClientAuthority(client.client_id, resource.identifier, scopes), client, event.origin)
        if not left.scopes:
            about = event.about(name="policy.refused", outcome="refused", resource=resource.identifier)
            self.audit.write(about.about(detail=told(ruling)))
            raise UnauthorizedClient(NOT_HERE, private=named(ruling), cause=Cause.POLICY_REFUSED)
        return left.scopes

    def left(self, authority: Authorities, client: Client, origin: Origin) -> Left:
        """What is left of *authority* for the token that is about to be issued.

        If nothing is, its family ends, so that its refresh token is good for nothing, and `InvalidGrant` is raised.
        """
        left, ruling = self._left(authority, client, origin)
        if not left.scopes:
            event = Event("policy.refused", f"client:{client.client_id}", origin, outcome="refused")
            self.families.revoke_family(authority.family_id, event.about(detail=told(ruling)))
            raise InvalidGrant(NOT_HERE, private=named(ruling), cause=Cause.POLICY_REFUSED)
        return left

    def _left(self, authority: Authorities, client: Client, origin: Origin) -> tuple[Left, Ruling]:
        policy = self.rules.current()
        resource = identified(self.resources.all(), authority.resource) if policy.rules else None
        if resource is None:
            return Left(authority.scopes), NOTHING
        user_id = authority.subject if isinstance(authority, Authority) else None
        every = items.held(resource, authority.scopes, tool_permission.read(authority.tools))
        asked = self.request(policy, user_id, client, resource.identifier, origin)
        # That the sign-in was fresh was seen to when the person decided.
        ruling = self.ruling_by(policy, asked, user_id, every, resource, fresh=True)
        closed = frozenset(one.item.name for one in ruling.out if one.item.kind is request.ItemKind.TOOL)
        return Left(tuple(name for name in authority.scopes if name in ruling.scopes), closed), ruling


NOTHING = Ruling(frozenset(), frozenset())


def told(ruling: Ruling) -> dict[str, object]:
    """What the audit trail is told of a refusal: the rules by which, and what was left out by them."""
    return {"rules": [rule.name for rule in ruling.rules], "refused": [one.item.key for one in ruling.out][:50]}


def named(ruling: Ruling) -> str:
    """The rules that decided, for the log."""
    return "by " + ", ".join(repr(rule.name) for rule in ruling.rules)


def refused(ruling: Ruling) -> PolicyRefused:
    """The refusal that is told to a person and their client; the rule's name is nobody's business but operators'."""
    says = next((one.rule.says for one in ruling.out if one.rule.says), "")
    return PolicyRefused(NOT_HERE, says, private=named(ruling))
