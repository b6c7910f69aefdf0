"""What there is, in the form of a file that `plan` reads: applied where it was written, it changes nothing."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from ...protocol.client import Client
from ...protocol.resource import Resource
from ...protocol.scope import Scope
from ...protocol.tool import Mark, Tool
from .declared import ClientForm, Declared, ResourceEntry, ScopeEntry, ToolEntry


def exported(resources: Iterable[Resource], clients: Iterable[Client]) -> str:
    """The YAML of *resources* and of *clients* that were registered beforehand, without secrets.

    This server's own API is left out, which a command of its own makes, and tools that their server has no more.
    """
    said = {
        "resources": [_resource(one) for one in resources if not one.is_own_api],
        "clients": list(map(_client, clients)),
    }
    Declared.model_validate(said)
    return yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=120)


def unclear(resources: Iterable[Resource], clients: Iterable[Client]) -> Iterator[str]:
    """What whoever applies the file elsewhere should know."""
    for resource in (one for one in resources if not one.is_own_api):
        for tool in resource.tools:
            if tool.mark in (Mark.NEW, Mark.CHANGED):
                yield f"{resource.identifier}: {tool.name} waits to be agreed to; applied elsewhere, it is agreed to"
    for client in clients:
        if client.secret_digest is not None:
            yield f"client {client.client_id}: elsewhere it gets another secret, or what its secret_env names"


def _resource(resource: Resource) -> dict[str, Any]:
    tools = [_tool(tool) for tool in resource.tools if tool.mark is not Mark.GONE]
    entry = ResourceEntry(
        url=resource.identifier,
        name=resource.name,
        scopes=tuple(map(_scope, resource.scopes)),
        aliases=resource.aliases,
        default=resource.is_default,
        token_format=resource.token_format,
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
