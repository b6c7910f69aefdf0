"""What a person decided, or wants to see, on the consent page."""

import json
from dataclasses import dataclass
from enum import StrEnum

from werkzeug.datastructures import MultiDict

from ...protocol import credential
from ...protocol.credential import Prefix
from ...protocol.grant_term import Until
from ...protocol.scope import MOST_SCOPES, Risk
from ...protocol.tool_list import MOST_TOOLS
from ...services.proposal import Choice, Proposal
from ...services.tool_choices import Term, ToolChoice
from ...services.tool_limit import KINDS, ToolLimit

MOST_SEARCHED = 100
MOST_NAMED = 250  # characters, of a scope in a button's value
TERMS = frozenset(term.value for term in Term)
ENDS = frozenset(until.value for until in Until)


class Button(StrEnum):
    """What was pressed. Those that are about a scope have its name after a colon."""

    ALLOW = "allow"
    DENY = "deny"
    READING = "reading"
    """Tick only what reads, and show the page again."""

    WRITING = "writing"
    """Tick what reads and what makes changes, and show the page again."""

    ALL = "all"
    """Tick everything that is known, and show the page again."""

    NONE = "none"
    """Tick nothing, and show the page again."""

    TICK = "tick"
    """Tick a scope with all of its tools, and show the page again."""

    UNTICK = "untick"
    """Untick all tools of a scope, and show the page again."""

    SEARCH = "search"
    ASK = "ask"
    """Ask an administrator for what a rule of policy wants them to allow first."""


BUTTONS = frozenset(button.value for button in Button)
UP_TO = {Button.READING: Risk.READ, Button.WRITING: Risk.WRITE, Button.ALL: Risk.DESTRUCTIVE}
LOOKING = frozenset({*UP_TO, Button.NONE, Button.TICK, Button.UNTICK, Button.SEARCH})


@dataclass(frozen=True, slots=True)
class Decision:
    """The form: what was pressed (and which scope it is ``about``), what was ticked, what was looked for.

    ``shown`` is the digest of what the page said, ``end`` is when it said that what is allowed already ends
    (`Proposal.end`), ``said`` all of this form: the same when it is sent twice.
    """

    button: Button
    choice: Choice
    shown: str
    sought: str
    about: str = ""
    said: str = ""
    end: str = ""

    @classmethod
    def parse(cls, form: MultiDict[str, str], query: str) -> "Decision":
        """Read the *form* of the page about the request *query*; anything but a clear yes is a no."""
        pressed, _, about = form.get("decision", "")[:MOST_NAMED].partition(":")
        until = form.get("until", "")
        sent = sorted((name, text) for name, text in form.items(multi=True) if name != "csrf_token")
        return cls(
            button=Button(pressed) if pressed in BUTTONS else Button.DENY,
            choice=Choice(
                frozenset(form.getlist("scope")[:MOST_SCOPES]), _tools(form), Until(until) if until in ENDS else None
            ),
            shown=form.get("shown", ""),
            sought=form.get("sought", "").strip()[:MOST_SEARCHED],
            about=about,
            end=form.get("end", ""),
            said=json.dumps([query, sent]) if form.get("page") else "",
        )

    def code(self, secret: str) -> str | None:
        """The code of this decision, in the session of *secret*: one form has one, however often it comes.

        None for a form that does not tell which page it is from: each is a decision of its own.
        """
        return credential.derived(Prefix.CODE, secret, self.said) if self.said else None

    def keeps_another_end(self, proposal: Proposal) -> bool:
        """Whether the person wants to keep an end that is not that of *proposal*."""
        return self.choice.until is Until.KEPT and (not proposal.end or self.end != proposal.end)

    def looked_at(self, proposal: Proposal) -> Choice:
        """The ticks that the page has when it is shown again."""
        match self.button:
            case Button.READING | Button.WRITING | Button.ALL:
                return proposal.within(self.choice, UP_TO[self.button])
            case Button.TICK | Button.UNTICK:
                return proposal.of_scope(self.choice, self.about, all_of_it=self.button is Button.TICK)
            case Button.NONE:
                return self.choice.of(frozenset(), frozenset())
            case _:
                return self.choice


def _tools(form: MultiDict[str, str]) -> ToolChoice:
    ticked = frozenset(form.getlist("tool")[:MOST_TOOLS])
    terms = {name: form.get(f"term:{name}", "") for name in ticked}
    limits = {name: _limit(form, name) for name in ticked}
    return ToolChoice(
        ticked,
        {name: Term(term) for name, term in terms.items() if term in TERMS},
        {name: limit for name, limit in limits.items() if limit is not None},
    )


def _limit(form: MultiDict[str, str], name: str) -> ToolLimit | None:
    """The limit on the tool *name*; None where nothing was written."""
    argument, kind, text = (form.get(f"{part}:{name}", "").strip() for part in ("argument", "kind", "limit"))
    return ToolLimit(argument, kind, text) if text and kind in KINDS else None
