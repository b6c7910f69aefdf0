"""What a person decided, or wants to see, on the consent page."""

from dataclasses import dataclass
from enum import StrEnum

from werkzeug.datastructures import MultiDict

from ...protocol.scope import MOST_SCOPES
from ...protocol.tool_list import MOST_TOOLS
from ...services.proposal import Choice
from ...services.tool_choices import Term, ToolChoice
from ...services.tool_limit import KINDS, ToolLimit

MOST_SEARCHED = 100
TERMS = frozenset(term.value for term in Term)


class Button(StrEnum):
    """What was pressed."""

    ALLOW = "allow"
    DENY = "deny"
    READING = "reading"
    """Tick only what reads, and show the page again."""

    NONE = "none"
    """Tick nothing, and show the page again."""

    SEARCH = "search"
    ASK = "ask"
    """Ask an administrator for what a rule of policy wants them to allow first."""


BUTTONS = frozenset(button.value for button in Button)


@dataclass(frozen=True, slots=True)
class Decision:
    """The form: what was pressed, what was ticked, what was looked for, and the digest of what was shown."""

    button: Button
    choice: Choice
    shown: str
    sought: str

    @classmethod
    def parse(cls, form: MultiDict[str, str]) -> "Decision":
        """Read the form; anything but a clear yes is a no."""
        pressed = form.get("decision", "")
        return cls(
            button=Button(pressed) if pressed in BUTTONS else Button.DENY,
            choice=Choice(frozenset(form.getlist("scope")[:MOST_SCOPES]), _tools(form)),
            shown=form.get("shown", ""),
            sought=form.get("sought", "").strip()[:MOST_SEARCHED],
        )


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
