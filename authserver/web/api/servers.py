"""MCP servers with their scopes and tools."""

import json
from typing import Any

from pydantic import Field

from ...protocol.resource import Resource
from ...protocol.role import Permission
from ...protocol.tool import Tool
from ...services.desired_state.declared import ResourceEntry
from ...services.mass_revocation import few_left
from ...store.grants import Whose
from ...store.resources import UnknownResource
from .clients import BULK_SECONDS, GO_ON
from .operation import Answer, AnyOperation, Call, Nothing, One, Operation, acting, reading
from .problem import CHANGED, Problem
from .wanted import OWN_API, Made, known_server, make_server, registered

SAID_OF_TOOLS = ("name", "title", "description", "scopes", "word", "mark")
NONE = "there is no server of this identifier"


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
    claim: str | None = Field(description="Digests of the server's words and input schema; null: never heard of")
    limits: dict[str, Any] | None = Field(description="Rules on its arguments, by argument; null: any")
    additional: bool = Field(description="Whether arguments that `limits` have no rule for are let through")


class ServerLine(Answer):
    """A server in a list."""

    identifier: str
    name: str
    aliases: list[str]
    is_default: bool
    token_format: str
    signing_algorithm: str | None = Field(description="What its JWTs are signed by; null: as all are that chose none")
    suspended: bool = Field(description="Whether no tokens are issued for it")
    scopes: list[ScopeState]


class ServerState(ServerLine):
    """A server with its tools."""

    tools: list[ToolState]


class Servers(Answer):
    """All servers."""

    items: list[ServerLine]


def _list(call: Call[Nothing, Nothing]) -> Servers:
    return Servers(items=[ServerLine.model_validate(_said(each)) for each in call.deployment.stores.resources.every()])


def _one(call: Call[One, Nothing]) -> ServerState:
    return state_of(server_now(call))


def server_now(call: Call[One, Any]) -> Resource:
    """The server that the call is about, suspended or not, as it stands now. Raises `Problem`."""
    found = registered(call.deployment, call.query.id)
    if found is None:
        raise Problem(404, NONE)
    return found


def _suspend(call: Call[One, Nothing]) -> None:
    _set_suspended(call, True, "resource.suspended")


def _resume(call: Call[One, Nothing]) -> None:
    _set_suspended(call, False, "resource.resumed")


def _set_suspended(call: Call[One, Nothing], suspended: bool, name: str) -> None:
    found = server_now(call)
    if found.is_own_api:
        raise Problem(409, OWN_API)
    if found.suspended != suspended:
        call.deployment.stores.resources.set_suspended(found.identifier, suspended, call.event(name))


def state_of(found: Resource) -> ServerState:
    """What is told of a server."""
    tools = [_tool(tool, found) for tool in found.tools]
    return ServerState.model_validate({**_said(found), "tools": tools})


def _tool(tool: Tool, server: Resource) -> ToolState:
    said = {name: getattr(tool, name) for name in SAID_OF_TOOLS}
    limits = None if tool.policy.limits is None else json.loads(tool.policy.limits)
    claim = f"{tool.claim.words_digest}.{tool.claim.schema_digest}" if tool.claim else None
    return ToolState(
        **said, claim=claim, risk=tool.worst(server.scopes), limits=limits, additional=tool.policy.additional
    )


def _said(found: Resource) -> dict[str, object]:
    return {name: getattr(found, name) for name in ServerLine.model_fields}


def _remove(call: Call[One, Nothing]) -> None:
    found = server_now(call)
    if found.is_own_api:
        raise Problem(409, OWN_API)
    whose, about = Whose(resource=found.identifier), call.event("grants.revoked")
    ended, few = few_left(call.deployment.stores.grants, whose, about, BULK_SECONDS)
    if not few:
        raise Problem(409, GO_ON.format(ended))
    try:
        removed = call.deployment.stores.resources.remove(
            call.query.id, call.event("resource.removed"), before=call.seen
        )
    except UnknownResource:
        raise Problem(404, NONE) from None
    if not removed:
        raise Problem(412, CHANGED)


OPERATIONS: tuple[AnyOperation, ...] = (
    reading("/servers", Permission.SERVERS_READ, "All MCP servers with their scopes", Nothing, Servers, _list),
    reading("/server", Permission.SERVERS_READ, "One MCP server with its tools", One, ServerState, _one),
    Operation(
        "PUT", "/server", Permission.SERVERS_EDIT, "Make an MCP server, or change one, to be as the body says",
        make_server, Nothing, ResourceEntry, Made, find=known_server, shows=state_of, problems=(409, 428),
    ),
    acting(
        "/server/suspend", Permission.SERVERS_EDIT, "Issue no tokens for an MCP server; its grants stay", One, _suspend,
        problems=(409,),
    ),
    acting(
        "/server/resume", Permission.SERVERS_EDIT, "Issue tokens for an MCP server again", One, _resume,
        problems=(409,),
    ),
    acting(
        "/server", Permission.SERVERS_EDIT, "Forget an MCP server, with an end to all grants for it", One, _remove,
        method="DELETE", find=server_now, shows=state_of, problems=(409,),
    ),
)  # fmt: skip
