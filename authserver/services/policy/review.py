"""What gives reason to doubt that rules do what was meant: names that nobody has, and rules that never decide."""

from collections.abc import Container, Iterator
from dataclasses import dataclass

from ...protocol.policy.conditions import named
from ...protocol.policy.rule import NONE, Conditions, Rule, Rules
from ...protocol.registry.known import registry
from ...protocol.resource import Resource
from ...store.stores import Stores

UNKNOWN = {
    "user": "there is no user {name!r}",
    "group": "nobody is in the group {name!r}",
    "client": "there is no client {name!r}",
    "known": "no known client is called {name!r}: {brands}",
}


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
                yield f"{rule.name}: never decides, as {final.name!r} before it fits everything"
            final = final or (rule if rule.when == NONE and rule.unless == NONE else None)
            for conditions in (rule.when, rule.unless):
                for doubt in (*_about_who(conditions, known), *_about_servers(conditions, resources)):
                    yield f"{rule.name}: {doubt}"


def _about_who(conditions: Conditions, known: Container[str]) -> Iterator[str]:
    brands = ", ".join(sorted(client.id for client in registry().clients))
    for entry in (*conditions.who, *conditions.through):
        kind, _, name = entry.partition(":")
        if kind in UNKNOWN and entry not in known:
            yield UNKNOWN[kind].format(name=name, brands=brands)


def _about_servers(conditions: Conditions, resources: tuple[Resource, ...]) -> Iterator[str]:
    known = {one.identifier for one in resources}
    yield from (f"no MCP server is registered as {name!r}" for name in conditions.servers if name not in known)
    about = [one for one in resources if not conditions.servers or one.identifier in conditions.servers]
    tools = [tool.name for one in about for tool in one.tools]
    scopes = [scope.name for one in about for scope in one.scopes]
    for kind, patterns, names in (("tool", conditions.tools, tools), ("scope", conditions.scopes, scopes)):
        for pattern in patterns:
            if not any(named((pattern,), name) for name in names):
                yield f"no {kind} is called {pattern!r} there; a rule binds the tools that the catalogue knows"
