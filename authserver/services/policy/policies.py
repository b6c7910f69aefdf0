"""The rules that count, held against what tokens are asked for (docs/policies.md)."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from ...protocol import scope, tool_permission
from ...protocol.access_token import Authority, ClientAuthority
from ...protocol.audit import Event, Origin
from ...protocol.client import Client
from ...protocol.domain import Decision, decision_about
from ...protocol.errors import InvalidGrant, PolicyRefused, UnauthorizedClient
from ...protocol.policy import items, request
from ...protocol.policy.matching import Bearing, bearing
from ...protocol.policy.request import Item, ItemKind, Request, Through
from ...protocol.policy.rule import Effect
from ...protocol.policy.ruling import Ruling, Standing, rule_on
from ...protocol.ports import RefreshTokens, Resources
from ...protocol.resource import Resource, identified
from ...protocol.trace.step import Cause
from ...store.audit import AuditStore
from ...store.domains import DomainStore
from ...store.pending_grants import PendingGrantStore, Requester
from ...store.policies import Policy, PolicyStore

NOT_HERE = "a rule of this server does not allow that: ask an administrator"
NOTHING: frozenset[str] = frozenset()
MOST_KEPT = 4096
MOST_TOLD = 50
Authorities = Authority | ClientAuthority


@dataclass(frozen=True, slots=True)
class Left:
    """What policy leaves of an authority: ``scopes``, and no tool that is ``closed``; by the ``ruling``, if any."""

    scopes: tuple[str, ...]
    closed: frozenset[str] = NOTHING
    ruling: Ruling | None = None

    @property
    def rules(self) -> tuple[str, ...]:
        """The names of the rules that left something out."""
        out = self.ruling.out if self.ruling else ()
        return tuple(dict.fromkeys(one.rule.name for one in out))


@dataclass(frozen=True, slots=True)
class _Kept:
    """What was worked out for tokens, all by the same rules and servers."""

    policy: Policy
    known: Iterable[Resource]
    left: dict[tuple[object, ...], Left] = field(default_factory=dict)


class Policies:
    """Decides by the rules that count. Where none bears on a request, that is found out and nothing else."""

    def __init__(
        self,
        rules: PolicyStore,
        domains: DomainStore,
        pending_grants: PendingGrantStore,
        resources: Resources,
        families: RefreshTokens,
        audit: AuditStore,
    ) -> None:
        """*families* end whose tokens lose everything; *audit* is told of refusals."""
        self.rules = rules
        self.audit = audit
        self._domains = domains
        self._pending_grants = pending_grants
        self._resources = resources
        self._families = families
        self._kept = _Kept(Policy(0, ()), ())

    def through(self, client: Client, sent_to: str | None = None) -> Through:
        """*client* as rules know it now; *sent_to* as in `request.through`."""
        host = request.publisher(client)
        allowed = bool(host) and decision_about(host, self._domains.all()) is Decision.ALLOW
        return request.through(client, vouched=allowed, sent_to=sent_to)

    def request(
        self,
        policy: Policy,
        user_id: str | None,
        through: Through,
        server: str,
        origin: Origin,
        methods: tuple[str, ...],
    ) -> Request:
        """Who asks now, as rules know it; *methods*: how they had signed in.

        ``user_id`` is None for a client that asks for itself.
        """
        person = policy.person(user_id) if user_id is not None else None
        return Request(person, through, server, int(time.time()), origin.address, methods)

    def ruling(
        self,
        policy: Policy,
        asked: Request,
        user_id: str | None,
        every: Iterable[Item],
        resource: Resource,
        *,
        fresh: bool,
    ) -> Ruling:
        """What *policy* leaves of *every* item; *fresh*: the person has signed in lately."""
        bears = bearing(policy.compiled, asked)
        standing = Standing(fresh, self._approved(bears, asked, user_id))
        return rule_on(bears, asked, every, standing, lambda name: scope.expand([name], resource.scopes))

    def alone(self, client: Client, resource: Resource, scopes: tuple[str, ...], event: Event) -> tuple[str, ...]:
        """What is left of *scopes* for a client that asks for itself. Raises `UnauthorizedClient` if nothing is."""
        left = self._left(ClientAuthority(client.client_id, resource.identifier, scopes), client, event.origin)
        if not left.scopes:
            about = event.about(name="policy.refused", outcome="refused", resource=resource.identifier)
            self.audit.write(about.about(detail=told(left.ruling)))
            raise UnauthorizedClient(NOT_HERE, private=named(left.ruling), cause=Cause.POLICY_REFUSED)
        return left.scopes

    def left(self, authority: Authorities, client: Client, origin: Origin) -> Left:
        """What is left of *authority* for the token that is about to be issued.

        If nothing is, its family ends, so that its refresh token is good for nothing, and `InvalidGrant` is raised.
        """
        left = self._left(authority, client, origin)
        if not left.scopes:
            event = Event("policy.refused", f"client:{client.client_id}", origin, outcome="refused")
            self._families.revoke_family(authority.family_id, event.about(detail=told(left.ruling)))
            raise InvalidGrant(NOT_HERE, private=named(left.ruling), cause=Cause.POLICY_REFUSED)
        return left

    def _left(self, authority: Authorities, client: Client, origin: Origin) -> Left:
        policy = self.rules.current()
        if not policy.rules:
            return Left(authority.scopes)
        user_id = authority.subject if isinstance(authority, Authority) else None
        through = self.through(client, authority.redirect_host)
        asked = self.request(policy, user_id, through, authority.resource, origin, authority.methods)
        bears = bearing(policy.compiled, asked)
        if not bears:
            return Left(authority.scopes)
        known, kept = self._resources.all(), self._kept
        if kept.policy is not policy or kept.known is not known or len(kept.left) >= MOST_KEPT:
            kept = self._kept = _Kept(policy, known)
        # That the sign-in was fresh was seen to when the person decided.
        standing = Standing(True, self._approved(bears, asked, user_id))
        key = (bears, user_id is None, authority.resource, authority.scopes, authority.tools, standing.approved)
        found = kept.left.get(key)
        if found is None:
            found = kept.left[key] = _worked_out(kept.known, authority, asked, bears, standing)
        return found

    def _approved(self, bears: tuple[Bearing, ...], asked: Request, user_id: str | None) -> frozenset[str]:
        """What was approved, if anything bears that asks for it."""
        if user_id is None or not any(one.rule.effect is Effect.APPROVAL for one in bears):
            return NOTHING
        client = asked.through.client
        return self._pending_grants.approved(Requester(user_id, client.client_id, client.identity, asked.server))


def _worked_out(
    known: Iterable[Resource], authority: Authorities, asked: Request, bears: tuple[Bearing, ...], standing: Standing
) -> Left:
    resource = identified(known, authority.resource)
    if resource is None:
        return Left(())
    every = items.held(resource, authority.scopes, tool_permission.read(authority.tools))
    ruling = rule_on(bears, asked, every, standing, lambda name: scope.expand([name], resource.scopes))
    closed = frozenset(one.item.name for one in ruling.out if one.item.kind is ItemKind.TOOL)
    return Left(tuple(name for name in authority.scopes if name in ruling.scopes), closed, ruling)


def told(ruling: Ruling | None) -> dict[str, object]:
    """What the audit trail is told of a refusal: the rules by which, and what was left out by them."""
    out = ruling.out if ruling else ()
    return {"rules": _names(ruling), "refused": [one.item.key for one in out[:MOST_TOLD]]}


def named(ruling: Ruling | None) -> str:
    """The rules that decided, for the log."""
    return "by " + ", ".join(map(repr, _names(ruling)))


def refused(ruling: Ruling) -> PolicyRefused:
    """The refusal that is told to a person and their client; the rule's name is nobody's business but operators'."""
    says = next((one.rule.says for one in ruling.out if one.rule.says), "")
    return PolicyRefused(NOT_HERE, says, private=named(ruling))


def _names(ruling: Ruling | None) -> list[str]:
    return [rule.name for rule in ruling.rules] if ruling else []
