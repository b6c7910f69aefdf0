"""Scopes and tools of an MCP server as the items that rules decide on."""

from collections.abc import Iterable

from ..resource import Resource
from ..scope import Risk, expand
from ..tool import Mark, Tool
from ..tool_permission import UNKNOWN, Permissions
from .request import Item, ItemKind


def of_scopes(resource: Resource, names: Iterable[str]) -> tuple[Item, ...]:
    """The scopes of *resource* among *names*, in its order."""
    wanted = frozenset(names)
    return tuple(Item(ItemKind.SCOPE, one.name, one.risk) for one in resource.scopes if one.name in wanted)


def of_tool(tool: Tool, resource: Resource) -> Item:
    """A tool of the catalogue of *resource*."""
    return Item(ItemKind.TOOL, tool.name, tool.worst(resource.scopes), tool.scopes)


def unheard(name: str) -> Item:
    """A tool that the catalogue does not have: it may do anything."""
    return Item(ItemKind.TOOL, name, Risk.DESTRUCTIVE)


def held(resource: Resource, scopes: tuple[str, ...], permissions: Permissions | None = None) -> tuple[Item, ...]:
    """All that *scopes* come to: those and what they imply, the tools that they open, those that only a guard knows.

    Of a scope or tool that *resource* does not have (any more) nobody knows what it may do.
    """
    reached = frozenset(expand(scopes, resource.scopes))
    there = [tool for tool in resource.tools if tool.mark is not Mark.GONE]
    known = {tool.name for tool in there}
    strangers = [name for name, one in (permissions or {}).items() if one.seen == UNKNOWN and name not in known]
    opened = (of_tool(tool, resource) for tool in there if reached.issuperset(tool.scopes))
    gone = (Item(ItemKind.SCOPE, name, Risk.DESTRUCTIVE) for name in scopes if name not in reached)
    return (*of_scopes(resource, reached), *gone, *opened, *map(unheard, strangers))
