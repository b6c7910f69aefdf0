"""What there is, in the form of a file that `plan` reads: applied where it was written, it changes nothing."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...protocol.client import Client
from ...protocol.policy import reading
from ...protocol.resource import Resource
from ...protocol.role import Role
from ...protocol.scope import Scope
from ...protocol.tool import Mark, Tool
from ...store.stores import Stores
from .declared import ClientForm, Declared, ScopeEntry, ServerEntry, ToolEntry
from .document import MOST_BYTES, dump


def exported(stores: Stores) -> str:
    """The YAML of MCP servers, clients that were registered beforehand, roles, groups and rules; without secrets.

    This server's own API is left out, which a command of its own makes, and tools that their server has no more.
    """
    said = {
        "resources": [_resource(one) for one in stores.resources.every() if not one.is_own_api],
        "clients": list(map(_client, stores.clients.preregistered())),
        "people": list(_people(stores.users.roles(), stores.groups.members())),
        **({"rules": reading.written(rules)} if (rules := stores.policies.current().rules) else {}),
    }
    Declared.model_validate(said)
    return dump(said)


def unclear(stores: Stores, text: str) -> Iterator[str]:
    """What whoever applies *text*, which was exported, should know."""
    if len(text.encode()) > MOST_BYTES:
        yield f"larger than the {MOST_BYTES} bytes that 'apply' takes: apply it in parts"
    if stores.users.roles() or stores.groups.members():
        yield "people: elsewhere they have to be there before ('authserver user add'); the file makes nobody"
    yield from _of_registered(stores.resources.every(), stores.clients.preregistered())


def _of_registered(resources: Iterable[Resource], clients: Iterable[Client]) -> Iterator[str]:
    for resource in (one for one in resources if not one.is_own_api):
        for tool in resource.tools:
            if tool.mark in (Mark.NEW, Mark.CHANGED):
                yield f"{resource.identifier}: {tool.name} waits to be agreed to; applied elsewhere, it is agreed to"
    for client in clients:
        if client.secret_digest is not None:
            yield f"client {client.client_id}: elsewhere it gets another secret, or what its secret_env names"


def _resource(resource: Resource) -> dict[str, Any]:
    tools = [_tool(tool) for tool in resource.tools if tool.mark is not Mark.GONE]
    entry = ServerEntry(
        url=resource.identifier,
        name=resource.name,
        scopes=tuple(map(_scope, resource.scopes)),
        aliases=resource.aliases,
        default=resource.is_default,
        token_format=resource.token_format,
        signing_algorithm=resource.signing_algorithm,
        suspended=True if resource.suspended else None,
    )
    return {**entry.model_dump(mode="json", exclude_defaults=True), **({"tools": tools} if tools else {})}


def _scope(scope: Scope) -> ScopeEntry:
    return ScopeEntry(
        name=scope.name,
        description=scope.description,
        risk=scope.risk,
        default=scope.is_default,
        implies=scope.implies,
    )


def _tool(tool: Tool) -> dict[str, Any]:
    entry = ToolEntry(
        name=tool.name,
        scopes=tool.scopes,
        title="" if tool.title == tool.name else tool.title,
        description=tool.description,
        risk=tool.risk,
        word=tool.word,
        limits=json.loads(tool.policy.limits) if tool.policy.limits is not None else None,
        additional=tool.policy.additional,
    )
    return entry.model_dump(mode="json", exclude_defaults=True)


def _client(client: Client) -> dict[str, Any]:
    form = ClientForm(
        id=client.client_id,
        name=client.name,
        redirect_uris=client.redirect_uris,
        auth_method=client.auth_method,
        grants=client.grant_types,
        jwks=client.jwks,
        jwks_uri=client.jwks_uri,
        allow=client.ceilings,
    )
    return form.model_dump(mode="json", exclude_defaults=True)


def _people(roles: Mapping[str, Role], groups: Mapping[str, tuple[str, ...]]) -> Iterator[dict[str, Any]]:
    for username in sorted({*roles, *groups}):
        role = {"role": str(roles[username])} if username in roles else {}
        yield {"username": username, **role, "groups": list(groups.get(username, ()))}
