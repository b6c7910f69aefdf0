"""MCP servers with their scopes and tools."""

from pydantic import Field

from ...protocol.resource import Resource, identified
from ...protocol.role import Permission
from .operation import Answer, AnyOperation, Call, Nothing, One, reading
from .problem import Problem


class ScopeState(Answer):
    """A scope of a server."""

    name: str
    description: str
    risk: str
    is_default: bool
    implies: list[str]


class ToolState(Answer):
    """A tool of a server, in the words and with the risk that count."""

    name: str
    title: str
    description: str
    scopes: list[str]
    risk: str
    word: str = Field(description="Whose word it is: the administrator's or the server's")
    mark: str = Field(description="agreed, or what of it nobody has agreed to yet")


class ServerLine(Answer):
    """A server in a list."""

    identifier: str
    name: str
    aliases: list[str]
    is_default: bool
    token_format: str
    scopes: list[ScopeState]


class ServerState(ServerLine):
    """A server with its tools."""

    tools: list[ToolState]


class Servers(Answer):
    """All servers."""

    items: list[ServerLine]


def _list(call: Call[Nothing, Nothing]) -> Servers:
    return Servers(items=[ServerLine.model_validate(_said(each)) for each in call.deployment.stores.resources.all()])


def _one(call: Call[One, Nothing]) -> ServerState:
    found = identified(call.deployment.stores.resources.all(), call.query.id)
    if found is None:
        raise Problem(404, "there is no server of this identifier")
    tools = [
        {name: getattr(tool, name) for name in ToolState.model_fields} | {"risk": tool.worst(found.scopes)}
        for tool in found.tools
    ]
    return ServerState.model_validate({**_said(found), "tools": tools})


def _said(found: Resource) -> dict[str, object]:
    return {name: getattr(found, name) for name in ServerLine.model_fields}


OPERATIONS: tuple[AnyOperation, ...] = (
    reading("/servers", Permission.SERVERS_READ, "All MCP servers with their scopes", Nothing, Servers, _list),
    reading("/server", Permission.SERVERS_READ, "One MCP server with its tools", One, ServerState, _one),
)
