"""Placement: which scope should open a tool that nobody placed, by its annotations and the words of its name.

It only proposes, and never a scope of a lower risk than the tool's.
"""

import re
from collections.abc import Sequence

from ...protocol.resource import Resource
from ...protocol.scope import RESERVED, Risk, Scope
from ...protocol.tool import Claim, Tool, name_words, risk_in_name, worst

ENDINGS = {Risk.READ: "read", Risk.WRITE: "write", Risk.DESTRUCTIVE: "delete"}
WORDS = {
    Risk.READ: "Use the tools of {} that only read",
    Risk.WRITE: "Use the tools of {} that make changes",
    Risk.DESTRUCTIVE: "Use the tools of {} that can delete or destroy",
}
NOT_IN_SCOPES = re.compile(r"[^a-z0-9]+")
LONGEST_PREFIX = 60


def risk_of(name: str, claim: Claim) -> Risk:
    """The worse of what the annotations claim and what the name gives away."""
    return worst(claim.annotations.risk, risk_in_name(name))


def place(name: str, risk: Risk, resource: Resource, proposed: Sequence[Scope]) -> Scope:
    """The scope for the tool *name*: one of *resource* or of those *proposed* already, else one that is not there."""
    fitting = [scope for scope in (*resource.scopes, *proposed) if scope.risk is risk]
    if not fitting:
        taken = {scope.name for scope in (*resource.scopes, *proposed)}
        return Scope(_free(f"{_prefix(resource)}:{ENDINGS[risk]}", taken), WORDS[risk].format(resource.name), risk)
    words = set(name_words(name))
    return max(fitting, key=lambda scope: len(words & _words_of(scope, resource.tools)))


def _words_of(scope: Scope, tools: Sequence[Tool]) -> set[str]:
    names = [scope.name, *(tool.name for tool in tools if scope.name in tool.scopes)]
    return {word for name in names for word in name_words(name)}


def _prefix(resource: Resource) -> str:
    for scope in resource.scopes:
        before, colon, _ = scope.name.partition(":")
        if colon and before:
            return before[:LONGEST_PREFIX]
    prefix = NOT_IN_SCOPES.sub("-", resource.name.lower()).strip("-")[:LONGEST_PREFIX] or "tools"
    return "tools" if f"{prefix}:".startswith(RESERVED) else prefix


def _free(wanted: str, taken: set[str]) -> str:
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}-{number}"
    return name
