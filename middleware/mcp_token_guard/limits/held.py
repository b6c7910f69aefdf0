"""The limits that a token carries."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from . import reading
from .judging import MOST_SHOWN, Breach, Judge
from .rule import Detail
from .sql import only_reads


@dataclass(frozen=True, slots=True)
class Limits:
    """The ``mcp_tool`` details of a token for this server.

    ``closed``: the token carries such details, and opens no tool but those that they name. A call is within limits
    when one of the details that name its tool lets its arguments through, and not for one single call only.
    """

    judges: tuple[Judge, ...] = ()
    closed: bool = False

    def breach(self, tool: str, arguments: object) -> Breach | None:
        """Why *tool* may not be called with *arguments* (parsed JSON; None for none), or None when it may."""
        if not self.closed:
            return None
        given = {} if arguments is None else arguments
        found = []
        for judge in self.judges:
            if tool in judge.detail.tools:
                broken = judge.breach(tool, given, only_reads) or judge.reserve(tool)
                if broken is None:
                    return None
                found.append(broken)
        return _joined(found) if found else Breach(tool[:MOST_SHOWN], "", "is of a tool that was not allowed")

    def permissions(self, tool: str, arguments: object) -> tuple[str, ...]:
        """The permissions for one single call under which *tool* may be called with *arguments*."""
        details = [judge.detail for judge in self._naming(tool) if not judge.breach(tool, arguments, only_reads)]
        return tuple(detail.once for detail in details if detail.once is not None)

    def opens(self, tool: str, *, once: bool = False) -> bool:
        """Whether *tool* may be called with any arguments at all; *once*: by a permission for one single call."""
        if once:
            return any(judge.detail.once is not None for judge in self._naming(tool))
        return not self.closed or any(self._naming(tool))

    def _naming(self, tool: str) -> Iterator[Judge]:
        return (judge for judge in self.judges if tool in judge.detail.tools)


UNLIMITED = Limits()


def from_claim(value: object, resource: str) -> Limits:
    """The limits in the claim ``authorization_details`` (RFC 9396 §9.1) of a token for *resource*.

    Details of other types are not about tools. An empty array opens no tool. A detail that cannot be read, from a
    newer server perhaps, opens nothing. Raises `ValueError` when the claim is no array of typed objects.
    """
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise ValueError("authorization_details is an array of objects")
    if not all(isinstance(each.get("type"), str) for each in value):
        raise ValueError("every authorization detail has a type")
    ours = [each for each in value if each["type"] == reading.TYPE]
    judges = tuple(Judge.of(detail) for detail in _readable(ours) if detail.location == resource)
    return Limits(judges, closed=bool(ours) or not value)


def _readable(values: Iterable[dict[str, Any]]) -> Iterable[Detail]:
    for value in values:
        try:
            yield reading.detail(value)
        except ValueError:
            continue


def _joined(found: list[Breach]) -> Breach:
    """One breach for all: what the details say about the first one's argument."""
    first = found[0]
    rules = dict.fromkeys(each.rule for each in found if each.argument == first.argument)
    return Breach(first.tool, first.argument, "; or ".join(rules))
