"""Placement: which scope should open a tool that nobody placed, by its annotations and the words of its name.

It only proposes, and never a scope of a lower risk than the tool's.
"""

import re

from ...protocol.resource import Resource
from ...protocol.scope import RESERVED, Risk, Scope
from ...protocol.tool import Claim, name_words, risk_in_name, worst
from ...protocol.tool_request import DERIVED

ENDINGS = {Risk.READ: "read", Risk.WRITE: "write", Risk.DESTRUCTIVE: "delete"}
WORDS = {
    Risk.READ: "Use the tools of {} that only read",
    Risk.WRITE: "Use the tools of {} that make changes",
    Risk.DESTRUCTIVE: "Use the tools of {} that can delete or destroy",
}
NOT_IN_SCOPES = re.compile(r"[^a-z0-9]+")
LONGEST_PREFIX = 60
NOT_OURS = (RESERVED, *DERIVED)
"""What no scope of an MCP server may begin with."""


def risk_of(name: str, claim: Claim) -> Risk:
    """The worse of what the annotations claim and what the name gives away."""
    return worst(claim.annotations.risk, risk_in_name(name))


class Placement:
    """Finds scopes for new tools of one server. ``proposed`` are those that were not there."""

    def __init__(self, resource: Resource) -> None:
        self._resource = resource
        self.proposed: list[Scope] = []
        # Counted once: a server may list a thousand tools.
        self._words = {scope.name: set(name_words(scope.name)) for scope in resource.scopes}
        for tool in resource.tools:
            words = name_words(tool.name)
            for name in tool.scopes:
                self._words.setdefault(name, set()).update(words)

    def place(self, name: str, risk: Risk) -> Scope:
        """The scope for the tool *name*: one that is there, or was proposed already, else a new proposal."""
        known = (*self._resource.scopes, *self.proposed)
        words = set(name_words(name))
        fitting = [scope for scope in known if scope.risk is risk]
        if fitting:
            return max(fitting, key=lambda scope: len(words & self._words.get(scope.name, set())))
        wanted = f"{_prefix(self._resource)}:{ENDINGS[risk]}"
        made = Scope(_free(wanted, {scope.name for scope in known}), WORDS[risk].format(self._resource.name), risk)
        self._words[made.name] = set(name_words(made.name))
        self.proposed.append(made)
        return made


def _prefix(resource: Resource) -> str:
    for scope in resource.scopes:
        before, colon, _ = scope.name.partition(":")
        if colon and before and not scope.name.startswith(NOT_OURS):
            return before[:LONGEST_PREFIX]
    prefix = NOT_IN_SCOPES.sub("-", resource.name.lower()).strip("-")[:LONGEST_PREFIX] or "tools"
    return "tools" if f"{prefix}:".startswith(NOT_OURS) else prefix


def _free(wanted: str, taken: set[str]) -> str:
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}-{number}"
    return name
