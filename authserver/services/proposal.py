"""What a person is asked to decide: the consent page as a value (AZ-8, AZ-9, AZ-14, EX-7)."""

import hashlib
import json
from dataclasses import dataclass, field, replace

from ..protocol import scope
from ..protocol.amr import BY_PASSWORD, Method
from ..protocol.authorization import AuthorizationRequest
from ..protocol.grant_term import BrowserSession, Until
from ..protocol.policy.request import ItemKind
from ..protocol.policy.rule import Effect
from ..protocol.policy.ruling import LeftOut, Ruling
from ..protocol.registry.recognition import Recognition
from ..protocol.resource import Resource
from ..protocol.scope import Risk, Scope, Selection
from ..protocol.tool_permission import Permissions
from ..protocol.tool_request import ToolRequest
from ..store.sessions import Session
from ..store.standing import Stood
from ..store.tool_permissions import Challenge
from .tool_choices import ToolChoice, ToolItem

RISKS = (Risk.READ, Risk.WRITE, Risk.DESTRUCTIVE)
"""From the least to the worst."""

TERMS = (Until.REVOKED, Until.DAYS, Until.HOURS, Until.SESSION)


@dataclass(frozen=True, slots=True)
class Person:
    """Who decides, signed in at ``auth_time`` (Unix seconds) by ``methods``; ``device`` is the browser's own secret.

    ``session`` is the one in which they are signed in; None: nothing can be allowed for as long as it lasts.
    ``fresh``: that was a short while ago. ``recalled``: their browser stays signed in, so that this is never fresh.
    ``stood`` is how they stood where they seem to be asked, if that was found out with their session.
    """

    user_id: str
    auth_time: int
    device: str
    methods: tuple[Method, ...] = BY_PASSWORD
    session: BrowserSession | None = None
    recalled: bool = False
    fresh: bool = False
    stood: Stood | None = None

    @classmethod
    def of(cls, session: Session, device: str, *, fresh: bool) -> "Person":
        """Who is signed in by *session*, at the browser with *device*."""
        proof = {"recalled": session.recalled, "fresh": fresh}
        bounds, stood = session.bounds, session.stood
        return cls(session.user.id, session.auth_time, device, session.methods, bounds, **proof, stood=stood)


@dataclass(frozen=True, slots=True)
class Asked:
    """A checked request, with the resource that it is about, the scopes that it comes to, and its wishes of tools."""

    request: AuthorizationRequest
    resource: Resource
    selection: Selection
    tools: ToolRequest = field(default_factory=ToolRequest)


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person ticked: scopes by name, and tools; and ``until`` when they allow it (None: they did not say)."""

    scopes: frozenset[str]
    tools: ToolChoice = field(default_factory=ToolChoice)
    until: Until | None = None

    def of(self, scopes: frozenset[str], tools: frozenset[str]) -> "Choice":
        """The same with other *scopes* and *tools* ticked: what was said of them is not lost."""
        return replace(self, scopes=scopes, tools=replace(self.tools, ticked=tools))


@dataclass(frozen=True, slots=True)
class Item:
    """One scope on the page, with the tools that it opens and the other scopes that it includes.

    A tool that needs several scopes is shown with the last of them. ``ticked`` is what the page proposes.
    """

    scope: Scope
    tools: tuple[ToolItem, ...]
    includes: tuple[Scope, ...]
    ticked: bool = True


@dataclass(frozen=True, slots=True)
class Proposal:
    """All that the page shows.

    ``identity`` is what to think of the client, by its name and by where the browser will be sent. ``new`` needs a
    decision; ``standing`` is already allowed on this device and included (it can be unticked); what any of them
    implies is among them. ``unknown`` are tools that only a guard spoke of. ``left_out`` are scopes allowed earlier
    that can destroy and that this request did not ask for, so they do not join. ``is_first`` says that this person
    never allowed this client anything; ``former_name`` is how a client that has changed since was called then;
    ``must_ask``: the page must be shown. ``challenges`` of guards are answered by whatever is decided.
    ``standing_tools`` is what this device's grant says of tools, ``standing_grant`` its id, and ``ends_at`` when it
    ends by itself (Unix seconds; None: not at all), or before that ``with_session``; ``ruling``: what policy left out.
    """

    asked: Asked
    identity: Recognition
    new: tuple[Item, ...]
    standing: tuple[Item, ...]
    unknown: tuple[ToolItem, ...]
    left_out: tuple[Scope, ...]
    is_first: bool
    former_name: str | None
    must_ask: bool
    ruling: Ruling
    challenges: tuple[Challenge, ...] = ()
    standing_tools: Permissions | None = None
    standing_grant: str | None = None
    ends_at: int | None = None
    with_session: bool = False

    @property
    def terms(self) -> tuple[Until, ...]:
        """For how long it can be allowed; the first is what the page proposes."""
        return TERMS if self.ends_at is None else (Until.KEPT, *TERMS)

    @property
    def end(self) -> str:
        """When what is allowed already ends, as the form of the page has it; that of a session moves as it is used."""
        if self.ends_at is None:
            return ""
        return Until.SESSION.value if self.with_session else str(self.ends_at)

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

    @property
    def tools(self) -> tuple[ToolItem, ...]:
        """Every tool that can be ticked."""
        return (*(tool for item in (*self.new, *self.standing) for tool in item.tools), *self.unknown)

    @property
    def barred(self) -> bool:
        """Whether policy left out a tool that a guard asks for."""
        asked = {*self.asked.tools.named, *(one.tool for one in self.challenges)}
        return any(one.item.kind is ItemKind.TOOL and one.item.name in asked for one in self.ruling.out)

    @property
    def left_out_by_policy(self) -> tuple[tuple[Effect, tuple[LeftOut, ...]], ...]:
        """What policy left out, by what stands in its way."""
        found = ((effect, self.ruling.waiting(effect)) for effect in (Effect.APPROVAL, Effect.DENY))
        return tuple((effect, out) for effect, out in found if out)

    @property
    def rules(self) -> dict[str, object]:
        """The rules that decided, for the audit trail."""
        return {"rules": [rule.name for rule in self.ruling.rules]} if self.ruling.rules else {}

    @property
    def proposed(self) -> Choice:
        """What the page proposes."""
        scopes = frozenset(item.scope.name for item in (*self.new, *self.standing) if item.ticked)
        return Choice(scopes, ToolChoice(frozenset(tool.name for tool in self.tools if tool.ticked)))

    def proposed_for(self, until: Until | None) -> Choice:
        """What the page proposes, with the term that the person chose."""
        return replace(self.proposed, until=until)

    def within(self, choice: Choice, worst: Risk) -> Choice:
        """*choice* with those tools and scopes of the page ticked that can do nothing worse than *worst*, and no other.

        Tools that nobody here knows are not among them.
        """
        risks = RISKS[: RISKS.index(worst) + 1]
        tools = [tool for tool in self.tools if tool.risk in risks and tool.is_known]
        opening = {name for tool in tools for name in tool.tool.scopes}
        plain = {i.scope.name for i in (*self.new, *self.standing) if not i.tools and i.scope.risk in risks}
        needed = frozenset(scope.expand(opening | plain, self.asked.resource.scopes))
        return choice.of(needed & self.names, frozenset(tool.name for tool in tools))

    def of_scope(self, choice: Choice, name: str, *, all_of_it: bool) -> Choice:
        """*choice* with the scope *name* ticked, with what it needs, and all of the tools that it opens, or none."""
        here = (item for item in (*self.new, *self.standing) if item.scope.name == name)
        tools = frozenset(tool.name for item in here for tool in item.tools)
        if not all_of_it:
            return choice.of(choice.scopes, choice.tools.ticked - tools)
        needed = frozenset(scope.expand([name], self.asked.resource.scopes)) & self.names
        return choice.of(choice.scopes | needed, choice.tools.ticked | tools)

    def lacking(self, ticked: frozenset[str]) -> tuple[Scope, ...]:
        """What *ticked* scopes imply and is not ticked itself: such a decision contradicts itself."""
        needed = scope.expand(self.names & ticked, self.asked.resource.scopes)
        return tuple(s for s in self.asked.resource.scopes if s.name in needed and s.name not in ticked)

    def half_ticked(self, choice: Choice) -> frozenset[str]:
        """The scopes that *choice* lacks for tools that the person ticked themselves: both are needed."""
        own = [tool for tool in self.tools if tool.name in choice.tools.ticked and not tool.ticked]
        needed = {name for tool in own for name in scope.expand(tool.tool.scopes, self.asked.resource.scopes)}
        return self.names.intersection(needed).difference(choice.scopes)

    def withheld(self, choice: Choice) -> tuple[ToolItem, ...]:
        """The tools that a guard asks for and *choice* does not allow: the client gets a no then."""
        return tuple(tool for tool in self.tools if tool.challenged and not self._allows(choice, tool))

    def _allows(self, choice: Choice, tool: ToolItem) -> bool:
        needed = self.names.intersection(tool.tool.scopes)
        return tool.name in choice.tools.ticked and choice.scopes.issuperset(needed)

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
                    [tool.said for tool in item.tools],
                    [other.name for other in item.includes],
                ]
                for item in items
            ],
            [tool.said for tool in self.unknown],
        ]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()
