"""Policy at the authorization endpoint: what the page may offer, and what ends before there is one."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from ...protocol.audit import Event, Origin
from ...protocol.errors import GrantPending, SignInTooOld
from ...protocol.policy.request import Item
from ...protocol.policy.rule import Effect
from ...protocol.policy.ruling import Ruling
from ...store.pending_grants import PendingGrantStore, State, TooManyWait, Wanted
from ..proposal import Asked, Person, Proposal
from .policies import Policies, named, refused, told


@dataclass(frozen=True, slots=True)
class Admission:
    """Holds authorizations against the rules. ``fresh`` and ``lifetime`` (of what waits) are in seconds."""

    policies: Policies
    pending_grants: PendingGrantStore
    fresh: int
    lifetime: int

    def limit(self, asked: Asked, person: Person, origin: Origin) -> Callable[[tuple[Item, ...]], Ruling]:
        """What tells of items what the rules leave of them for *person*."""
        policy, resource = self.policies.rules.current(), asked.resource
        request = self.policies.request(policy, person.user_id, asked.request.client, resource.identifier, origin)
        fresh = time.time() - person.auth_time <= self.fresh
        return lambda every: self.policies.ruling(policy, request, person.user_id, every, resource, fresh=fresh)

    def admit(self, proposal: Proposal, person: Person, origin: Origin) -> None:
        """Nothing, if something is left to decide on.

        Raises `SignInTooOld` where that is all that lacks, `GrantPending` where an administrator is asked now, and
        `PolicyRefused`; so too if what is left lacks a tool that a guard asks for, since the client would ask again.
        """
        ruling = proposal.ruling
        if ruling.waiting(Effect.FRESH_SIGN_IN):
            raise SignInTooOld(private=named(ruling))
        if not ruling.out or ((proposal.names or proposal.unknown) and not proposal.barred):
            return
        if ruling.waiting(Effect.APPROVAL):
            raise self._pending(proposal, person, origin)
        self.policies.audit.write(self._event("policy.refused", proposal, person, origin).about(detail=told(ruling)))
        raise refused(ruling)

    def ask(self, proposal: Proposal, person: Person, origin: Origin) -> State:
        """Have what needs it wait for an administrator. Raises `TooManyWait`."""
        wanting = proposal.ruling.waiting(Effect.APPROVAL)
        wanted = Wanted(
            user_id=person.user_id,
            client_id=proposal.asked.request.client.client_id,
            resource=proposal.asked.resource.identifier,
            asked=tuple(one.item.key for one in wanting),
            rule=wanting[0].rule.name,
        )
        event = self._event("approval.asked", proposal, person, origin).about(outcome="success")
        return self.pending_grants.ask(wanted, self.lifetime, event)

    def _pending(self, proposal: Proposal, person: Person, origin: Origin) -> GrantPending:
        waiting = proposal.ruling.waiting(Effect.APPROVAL)
        says = next((one.rule.says for one in waiting if one.rule.says), "")
        try:
            denied = self.ask(proposal, person, origin) is State.DENIED
        except TooManyWait:
            return GrantPending(says, denied=False, private="this person has too many requests waiting")
        return GrantPending(says, denied=denied, private=named(proposal.ruling))

    def _event(self, name: str, proposal: Proposal, person: Person, origin: Origin) -> Event:
        asked = proposal.asked
        return Event(
            name,
            f"user:{person.user_id}",
            origin,
            "refused",
            user_id=person.user_id,
            client_id=asked.request.client.client_id,
            resource=asked.resource.identifier,
        )
