"""What gives reason to doubt that rules do what was meant: names that nobody has, and rules that never decide."""

from collections.abc import Container, Iterator
from dataclasses import dataclass

from ...protocol.msg import Filled, msg
from ...protocol.policy.conditions import named
from ...protocol.policy.rule import NONE, Conditions, Rule, Rules
from ...protocol.registry.known import registry
from ...protocol.resource import Resource
from ...store.stores import Stores

UNKNOWN = {
    "user": msg("{rule}: there is no user {name!r}"),
    "group": msg("{rule}: nobody is in the group {name!r}"),
    "client": msg("{rule}: there is no client {name!r}"),
    "known": msg("{rule}: no known client is called {name!r}: {brands}"),
}
NEVER = msg("{rule}: never decides, as {final!r} before it fits everything")
NO_SERVER = msg("{rule}: no MCP server is registered as {name!r}")
NO_TOOL = msg("{rule}: no tool is called {name!r} there; a rule binds the tools that the catalogue knows")
NO_SCOPE = msg("{rule}: no scope is called {name!r} there; a rule binds the tools that the catalogue knows")


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Looks rules over against what is registered."""

    stores: Stores

    def doubts(self, rules: Rules) -> Iterator[str]:
        """Sentences for whoever wrote *rules*, each beginning with a rule's name."""
        groups, resources = self.stores.groups.sizes(), tuple(self.stores.resources.all())
        entries = {entry for rule in rules for part in (rule.when, rule.unless) for entry in (*part.who, *part.through)}
        known = {*self.stores.policies.existing(entries), *(f"group:{name}" for name in groups)}
        known |= {f"known:{client.id}" for client in registry().clients}
        final: Rule | None = None
        for rule in rules:
            if final is not None:
                yield Filled(NEVER, rule=rule.name, final=final.name)
            final = final or (rule if rule.when == NONE and rule.unless == NONE else None)
            for conditions in (rule.when, rule.unless):
                yield from _about_who(rule.name, conditions, known)
                yield from _about_servers(rule.name, conditions, resources)


def _about_who(rule: str, conditions: Conditions, known: Container[str]) -> Iterator[str]:
    brands = ", ".join(sorted(client.id for client in registry().clients))
    for entry in (*conditions.who, *conditions.through):
        kind, _, name = entry.partition(":")
        if kind in UNKNOWN and entry not in known:
            yield Filled(UNKNOWN[kind], rule=rule, name=name, brands=brands)


def _about_servers(rule: str, conditions: Conditions, resources: tuple[Resource, ...]) -> Iterator[str]:
    known = {one.identifier for one in resources}
    yield from (Filled(NO_SERVER, rule=rule, name=name) for name in conditions.servers if name not in known)
    about = [one for one in resources if not conditions.servers or one.identifier in conditions.servers]
    tools = [tool.name for one in about for tool in one.tools]
    scopes = [scope.name for one in about for scope in one.scopes]
    for words, patterns, names in ((NO_TOOL, conditions.tools, tools), (NO_SCOPE, conditions.scopes, scopes)):
        for pattern in patterns:
            if not any(named((pattern,), name) for name in names):
                yield Filled(words, rule=rule, name=pattern)
