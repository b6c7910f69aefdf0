"""Which scopes a message needs: the base set, and for ``tools/call`` what the tool's rule adds."""

from collections.abc import Iterable, Mapping

from .messages import Message
from .scopes import ScopeNames, names


class ScopeRules:
    """The scopes of every operation.

    *tools* maps a tool's name to what it needs besides *base*. A tool without a rule needs *default*; where that is
    None, it needs every scope that any rule names: a tool that was forgotten is closed to all but the most trusted.
    """

    def __init__(
        self, base: tuple[str, ...], tools: Mapping[str, ScopeNames], default: ScopeNames | None = None
    ) -> None:
        self.base = base
        self._tools = {tool: _joined(base, names(scopes)) for tool, scopes in tools.items()}
        strictest = _joined(base, *self._tools.values())
        self._default = strictest if default is None else _joined(base, names(default))

    def needed(self, messages: tuple[Message, ...]) -> tuple[str, ...]:
        """All scopes that *messages* need together, base first."""
        if len(messages) == 1:
            return self._of(messages[0])
        return _joined(self.base, *(self._of(message) for message in messages))

    def _of(self, message: Message) -> tuple[str, ...]:
        if message.method != "tools/call" or message.name is None:
            return self.base
        return self._tools.get(message.name, self._default)


def by_annotations(
    tools: Iterable[object], *, read: ScopeNames, write: ScopeNames, destructive: ScopeNames
) -> dict[str, tuple[str, ...]]:
    """The rules for *tools* (as ``tools/list`` has them: the SDK's objects, or their JSON) by their annotations.

    ``readOnlyHint`` opens a tool with *read*; ``destructiveHint: false`` with *write*; all others, a tool without
    annotations too, are taken for destructive, as the specification's defaults have it (MCP, ToolAnnotations).
    """
    return {str(_member(tool, "name")): names(_choose(tool, read, write, destructive)) for tool in tools}


def _choose(tool: object, read: ScopeNames, write: ScopeNames, destructive: ScopeNames) -> ScopeNames:
    annotations = _member(tool, "annotations")
    if _member(annotations, "read_only_hint", "readOnlyHint") is True:
        return read
    return write if _member(annotations, "destructive_hint", "destructiveHint") is False else destructive


def _member(holder: object, *spellings: str) -> object:
    for spelling in spellings:
        value = holder.get(spelling) if isinstance(holder, Mapping) else getattr(holder, spelling, None)
        if value is not None:
            return value
    return None


def _joined(*sets: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(scope for scopes in sets for scope in scopes))
