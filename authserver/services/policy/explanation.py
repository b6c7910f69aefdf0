"""The simulator: whether a person may use a tool through a client, by which rule, and why not by the others."""

from dataclasses import dataclass

from ...protocol.msg import Filled, msg
from ...protocol.policy import items
from ...protocol.policy.matching import Considered, considered
from ...protocol.policy.request import FACTORS, NO_FACTOR, Item, ItemKind, Request
from ...protocol.policy.rule import Effect
from ...protocol.policy.ruling import LeftOut, Ruling
from ...protocol.resource import Resource
from ...store.policies import Policy
from ...store.stores import Stores
from .. import registered
from .policies import Policies


class Unknown(ValueError):
    """The question is about something that is not there; the message says what."""


@dataclass(frozen=True, slots=True)
class Question:
    """Who, through which client, at which server, for what, when (Unix seconds), from where, with which ``factor``.

    ``username`` is None for a client that asks for itself; without ``tool`` and ``scope`` it is about everything that
    the server has.
    """

    username: str | None
    client_id: str
    server: str
    tool: str | None = None
    scope: str | None = None
    at: int = 0
    address: str = ""
    factor: str = NO_FACTOR


@dataclass(frozen=True, slots=True)
class Line:
    """What is decided about one item; ``out`` is None for one that is left."""

    item: Item
    out: LeftOut | None

    @property
    def rule_name(self) -> str | None:
        """The rule by which it is left out."""
        return self.out.rule.name if self.out else None


@dataclass(frozen=True, slots=True)
class Explanation:
    """``considered`` are the rules, in order, that were held against ``item``; ``notes`` what else is to be known."""

    version: int
    lines: tuple[Line, ...]
    item: Item | None
    considered: tuple[Considered, ...]
    notes: tuple[str, ...]

    @property
    def effect(self) -> Effect:
        """The answer: allowed if anything that was asked about is left, else what stands in the way of all."""
        out = [line.out for line in self.lines if line.out is not None]
        return Effect.ALLOW if len(out) < len(self.lines) or not out else out[0].effect

    @property
    def answer(self) -> str:
        """The answer in a sentence."""
        out = next((line.out for line in self.lines if line.out is not None), None)
        if self.effect is not Effect.ALLOW and out is not None:
            return Filled(WORDS[self.effect], out.rule.name)
        if self.item is None and out is not None:
            return Filled(IN_PART)
        deciding = next((one.rule for one in self.considered if one.fits), None)
        return Filled(WORDS[Effect.ALLOW], deciding.name) if deciding else Filled(NO_RULE)


WORDS = {
    Effect.ALLOW: msg("allowed, by the rule {!r}"),
    Effect.DENY: msg("denied, by the rule {!r}"),
    Effect.APPROVAL: msg("needs an administrator's approval first, by the rule {!r}"),
    Effect.FRESH_SIGN_IN: msg("needs a fresh sign-in, by the rule {!r}"),
}
IN_PART = msg("allowed in part: see what is left")
NO_RULE = msg("allowed: no rule is against it")
NO_CLIENT = msg("there is no client {!r} here")
NO_USER = msg("there is no user {!r}")
NO_SCOPE = msg("this MCP server has no scope {!r}")
STOPPED = msg("this client is stopped, or waits for approval")
DISABLED = msg("this person is disabled")
NOT_FOR_ITSELF = msg("this client gets no tokens for itself, whatever the rules say")
FALLS_WITH_IT = msg("it falls with something else that the rule {!r} leaves out")
UNHEARD = msg("the catalogue does not know this tool: it counts as one that can destroy")


@dataclass(frozen=True, slots=True)
class Simulator:
    """Answers questions by the rules that count, or by others. Reads only."""

    stores: Stores
    policies: Policies

    def explain(self, question: Question, policy: Policy | None = None) -> Explanation:
        """The answer to *question*. Raises `Unknown`, and `InvalidTarget` for a server that is not registered."""
        policy = policy or self.stores.policies.current()
        resource = registered.find((question.server,), self.stores.resources)
        asked, user_id, notes = self._request(question, policy, resource)
        names = tuple(scope.name for scope in resource.scopes)
        every = items.held(resource, names)
        item = _wanted(question, every, notes)
        if item is not None and item not in every:
            every = (*every, item)
        ruling = self.policies.ruling(policy, asked, user_id, every, resource, fresh=False)
        lines = tuple(_line(one, ruling) for one in every if item is None or one == item)
        told = self._considered(policy, asked, item, ruling, notes)
        return Explanation(policy.version, lines, item, told, tuple(notes))

    def _request(self, question: Question, policy: Policy, resource: Resource) -> tuple[Request, str | None, list[str]]:
        client = self.stores.clients.find(question.client_id)
        if client is None:
            raise Unknown(Filled(NO_CLIENT, question.client_id))
        notes = [STOPPED] if client.suspended or client.pending else []
        user_id = None
        if question.username is not None:
            person = self.stores.users.by_name(question.username)
            if person is None:
                raise Unknown(Filled(NO_USER, question.username))
            notes += [DISABLED] if person.disabled else []
            user_id = person.id
        elif not client.may_act_alone():
            notes.append(NOT_FOR_ITSELF)
        who = policy.person(user_id) if user_id is not None else None
        methods = tuple(method for method, word in FACTORS.items() if word == question.factor)
        through = self.policies.through(client)
        asked = Request(who, through, resource.identifier, question.at, question.address, methods)
        return asked, user_id, notes

    def _considered(
        self, policy: Policy, asked: Request, item: Item | None, ruling: Ruling, notes: list[str]
    ) -> tuple[Considered, ...]:
        if item is None:
            return ()
        found = tuple(considered(policy.rules, asked, item))
        out = next((one for one in ruling.out if one.item == item), None)
        if out is not None and not any(one.fits and one.rule == out.rule for one in found):
            notes.append(Filled(FALLS_WITH_IT, out.rule.name))
        return found


def _wanted(question: Question, every: tuple[Item, ...], notes: list[str]) -> Item | None:
    name, kind = question.tool or question.scope, ItemKind.TOOL if question.tool else ItemKind.SCOPE
    if name is None:
        return None
    found = next((one for one in every if one.kind is kind and one.name == name), None)
    if found is None and kind is ItemKind.SCOPE:
        raise Unknown(Filled(NO_SCOPE, name))
    if found is None:
        notes.append(UNHEARD)
    return found or items.unheard(name)


def _line(item: Item, ruling: Ruling) -> Line:
    return Line(item, next((one for one in ruling.out if one.item == item), None))
