"""A limit that a person puts on one argument of a tool, from what they wrote on the page (EX-7)."""

import json
from dataclasses import dataclass
from typing import Any

from mcp_token_guard.limits import pointers, reading, words

from ..protocol.msg import msg
from ..protocol.tool import Tool
from ..protocol.way import Way

MOST_TEXT = 500
UNSAID = msg("Say which of the arguments of {} you limit, and to what.")
NO_LIMIT = msg("The limit on {} cannot be used: {}.")
WIDER = msg("An administrator has limited {} further than that.")

KINDS = ("values", "under", "matches")
"""What an argument may be: one of some values, at or below a folder, or like a pattern (docs/limits.md)."""


class Unusable(ValueError):
    """What a person chose cannot be used, in words for them: ``words`` with places for ``values``."""

    def __init__(self, words: str, *values: str) -> None:
        super().__init__(words.format(*values))
        self.words, self.values = words, values


@dataclass(frozen=True, slots=True)
class ToolLimit:
    """``argument`` may only be as ``text`` (several with commas between) says, in the manner of ``kind``."""

    argument: str
    kind: str
    text: str

    def way(self, tool: Tool) -> Way:
        """The way in which *tool* may be called then; its other arguments are free.

        Raises `Unusable` for a limit that is none, or wider than the administrator's.
        """
        arguments = dict(tool.claim.arguments) if tool.claim else {}
        texts = [text for part in self.text[:MOST_TEXT].split(",") if (text := part.strip())]
        if arguments.get(self.argument) != "string" or not texts:
            raise Unusable(UNSAID, tool.title)
        rules: dict[str, Any] = {pointers.write((name,)): {"optional": True} for name in arguments}
        rules[pointers.write((self.argument,))] = {self.kind: texts}
        try:
            way = Way.limited(rules)
        except ValueError as wrong:
            raise Unusable(NO_LIMIT, tool.title, str(wrong)) from None
        if not way.no_wider(tool.policy):
            raise Unusable(WIDER, tool.title)
        return way


def in_words(way: Way, say: words.Say = str) -> list[tuple[str, str]]:
    """The limits of *way* as pairs: an argument, and what it may be, as *say* says it. None at all: no arguments."""
    rules = json.loads(way.limits) if way.limits else {}
    found = {pointer.removeprefix("/"): words.of_rule(reading.rule(rule), say) for pointer, rule in rules.items()}
    return [*found.items(), *([(say("other arguments"), say("anything"))] if way.additional else [])]
