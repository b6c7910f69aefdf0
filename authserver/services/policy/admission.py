"""Policy at the authorization endpoint: what the page may offer, and what ends before there is one."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from ...protocol.audit import Event, Origin
from ...protocol.errors import GrantPending, SignInTooOld
from ...protocol.policy.request import Item
from ...protocol.policy.rule import Effect
from ...protocol.policy.ruling import Ruling
from ...store.pending_grants import PendingGrantStore, Requester, State, Wanted
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
        through = self.policies.through(asked.request.client)
        request = self.policies.request(policy, person.user_id, through, resource.identifier, origin, person.methods)
        fresh = not person.recalled and time.time() - person.auth_time <= self.fresh
        return lambda every: self.policies.ruling(policy, request, person.user_id, every, resource, fresh=fresh)

    def admit(self, proposal: Proposal, person: Person, origin: Origin) -> None:
        """Nothing, if something is left to decide on.

        Raises `SignInTooOld` where that is all that lacks, `GrantPending` where an administrator has to be asked, and
        `PolicyRefused`; so too if what is left lacks a tool that a guard asks for, since the client would ask again.
        """
        ruling = proposal.ruling
        if ruling.waiting(Effect.FRESH_SIGN_IN):
            raise SignInTooOld(private=named(ruling))
        if not ruling.out or ((proposal.names or proposal.unknown) and not proposal.barred):
            return
        if ruling.waiting(Effect.APPROVAL):
            raise self.pending(proposal, self.pending_grants.state(_wanted(proposal, person)))
        self.policies.audit.write(self._event("policy.refused", proposal, person, origin).about(detail=told(ruling)))
        raise refused(ruling)

    def ask(self, proposal: Proposal, person: Person, origin: Origin) -> State:
        """Have what needs it wait for an administrator. Raises `TooManyWait`."""
        event = self._event("approval.asked", proposal, person, origin).about(outcome="success")
        return self.pending_grants.ask(_wanted(proposal, person), self.lifetime, event)

    def pending(self, proposal: Proposal, state: State | None) -> GrantPending:
        """What ends an authorization that waits for an administrator, or for the person to ask them (None)."""
        waiting = proposal.ruling.waiting(Effect.APPROVAL)
        says = next((one.rule.says for one in waiting if one.rule.says), "")
        asked = {None: False, State.WAITING: True}.get(state)
        return GrantPending(says, asked=asked, private=named(proposal.ruling))

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


def _wanted(proposal: Proposal, person: Person) -> Wanted:
    client, asked = proposal.asked.request.client, proposal.ruling.asked
    by = Requester(person.user_id, client.client_id, client.identity, proposal.asked.resource.identifier)
    return Wanted(by, tuple(one.item.key for one in asked), asked[0].rule.name)
