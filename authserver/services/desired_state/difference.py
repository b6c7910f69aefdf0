"""How two states of one client or MCP server differ, member by member, in words."""

import json
from dataclasses import dataclass

from ...protocol.client import Client
from ...protocol.resource import Resource
from ...protocol.scope import Scope
from ...protocol.tool import Tool, Word

Members = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Difference:
    """What a ``member`` loses and what it gains; both empty if only the order changes."""

    member: str
    gone: tuple[str, ...]
    new: tuple[str, ...]


def between(before: Members, after: Members) -> tuple[Difference, ...]:
    """The members that differ."""
    found = []
    for member, new in after.items():
        old = before.get(member, ())
        if old != new:
            gone = tuple(value for value in old if value not in new)
            found.append(Difference(member, gone, tuple(value for value in new if value not in old)))
    return tuple(found)


def of_client(client: Client) -> Members:
    """What is compared of a client; the order of its lists means nothing."""
    return {
        "name": (client.name,),
        "redirect_uris": tuple(sorted(client.redirect_uris)),
        "auth_method": (client.auth_method,),
        "grants": tuple(sorted(client.grant_types)),
        "jwks": () if client.jwks is None else (json.dumps(client.jwks, sort_keys=True),),
        "jwks_uri": () if client.jwks_uri is None else (client.jwks_uri,),
        "allow": tuple(
            f"{resource}: {' '.join(sorted(scopes))}" for resource, scopes in sorted(client.ceilings.items())
        ),
    }


def of_resource(resource: Resource) -> Members:
    """What is compared of an MCP server; scopes and tools are in the order that people see."""
    return {
        "name": (resource.name,),
        "default": ("yes",) if resource.is_default else (),
        "aliases": tuple(sorted(resource.aliases)),
        "token_format": (resource.token_format,),
        "signing_algorithm": (resource.signing_algorithm,) if resource.signing_algorithm else (),
        "scopes": tuple(map(_scope, resource.scopes)),
        "tools": tuple(map(_tool, resource.tools)),
    }


def _scope(scope: Scope) -> str:
    marks = [scope.risk, *(["default"] if scope.is_default else []), *(f"implies {name}" for name in scope.implies)]
    return f"{scope.name} ({', '.join(marks)}): {scope.description}"


def _tool(tool: Tool) -> str:
    words = f"{tool.title}. {tool.description}" if tool.description else tool.title
    marks = [" ".join(tool.scopes), *([tool.risk] if tool.risk else [])]
    marks += ["in the server's words"] if tool.word is Word.SERVER else []
    marks += [f"limited to {tool.policy.limits}"] if tool.policy.limits is not None else []
    marks += ["and other arguments"] if tool.policy.additional else []
    return f"{tool.name} ({', '.join(marks)}): {words}"
