"""Which scopes a message needs: the base set, and what the rules add for the tools, prompts and resources it names."""

from collections.abc import Iterable, Mapping

from .declared import member
from .messages import Message
from .paths import plainest_uri
from .scopes import ScopeNames, names
from .things import PROMPTS, RESOURCES, TOOLS, Thing

Rules = Mapping[str, ScopeNames]


class ScopeRules:
    """The scopes of every operation.

    *tools*, *prompts* and *resources* map a name to what it needs besides *base*; a resource's may end in ``*`` and
    then holds for all URIs that begin so, the longest one counting. What has no rule needs *default*; where that is
    None, it needs every scope that any rule names: a tool that was forgotten is closed to all but the most trusted.
    Of a kind without any rule, all things need the base set alone; tools do so only when there are no rules at all.
    """

    def __init__(
        self,
        base: tuple[str, ...],
        tools: Rules,
        default: ScopeNames | None = None,
        *,
        prompts: Rules | None = None,
        resources: Rules | None = None,
    ) -> None:
        self.base = base
        given = {TOOLS: tools, PROMPTS: prompts or {}, RESOURCES: resources or {}}
        self._exact: dict[Thing, tuple[str, ...]] = {
            (kind, name): _joined(base, names(scopes))
            for kind, rules in given.items()
            for name, scopes in rules.items()
        }
        strictest = _joined(base, *self._exact.values())
        self._default = strictest if default is None else _joined(base, names(default))
        self._ruled = {kind for kind, rules in given.items() if rules} | {TOOLS}
        self._resources = _Resources({uri: scopes for (kind, uri), scopes in self._exact.items() if kind == RESOURCES})

    def needed(self, messages: tuple[Message, ...]) -> tuple[str, ...]:
        """All scopes that *messages* need together, base first."""
        if len(messages) == 1 and len(messages[0].things) == 1:
            return self.of(messages[0].things[0])
        return _joined(self.base, *(self.of(thing) for message in messages for thing in message.things))

    def of(self, thing: Thing) -> tuple[str, ...]:
        """All scopes that *thing* needs, base first."""
        if thing[0] not in self._ruled:
            return self.base
        if thing[0] == RESOURCES:
            found = self._resources.of(thing[1])
            return self._default if found is None else found
        return self._exact.get(thing, self._default)


class _Resources:
    """Rules by URI. A URI needs what its own spelling and its plainest one need, so no spelling is cheaper."""

    def __init__(self, rules: Mapping[str, tuple[str, ...]]) -> None:
        self._written = rules
        self._plain: dict[str, tuple[str, ...]] = {}
        for uri, scopes in rules.items():
            plain = plainest_uri(uri.removesuffix("*")) + ("*" if uri.endswith("*") else "")
            self._plain[plain] = _joined(self._plain.get(plain, ()), scopes)

    def of(self, uri: str) -> tuple[str, ...] | None:
        """What *uri* needs, or None where one of its spellings has no rule."""
        written, plain = _longest(self._written, uri), _longest(self._plain, plainest_uri(uri))
        return None if written is None or plain is None else _joined(written, plain)


def _longest(rules: Mapping[str, tuple[str, ...]], uri: str) -> tuple[str, ...] | None:
    """The scopes of *uri*'s own rule, else of the longest prefix that has one."""
    if uri in rules and not uri.endswith("*"):
        return rules[uri]
    prefixes = [rule for rule in rules if rule.endswith("*") and uri.startswith(rule[:-1])]
    return rules[max(prefixes, key=len)] if prefixes else None


def by_annotations(
    tools: Iterable[object], *, read: ScopeNames, write: ScopeNames, destructive: ScopeNames
) -> dict[str, tuple[str, ...]]:
    """The rules for *tools* (as ``tools/list`` has them: the SDK's objects, or their JSON) by their annotations.

    ``readOnlyHint`` opens a tool with *read*; ``destructiveHint: false`` with *write*; all others, a tool without
    annotations too, are taken for destructive, as the specification's defaults have it (MCP, ToolAnnotations).
    """
    return {str(member(tool, "name")): names(_choose(tool, read, write, destructive)) for tool in tools}


def _choose(tool: object, read: ScopeNames, write: ScopeNames, destructive: ScopeNames) -> ScopeNames:
    annotations = member(tool, "annotations")
    if member(annotations, "read_only_hint", "readOnlyHint") is True:
        return read
    return write if member(annotations, "destructive_hint", "destructiveHint") is False else destructive


def _joined(*sets: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(scope for scopes in sets for scope in scopes))
