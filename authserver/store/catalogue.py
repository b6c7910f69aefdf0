"""What a resource consists of beside its row: the URIs that mean it, its scopes, and its tools."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.orm import Session

from ..protocol.resource import Heard, Resource, SigningAlgorithm, Source, TokenFormat, canonical
from ..protocol.scope import Risk, Scope
from ..protocol.tool import Annotations, Claim, Mark, Tool, Word
from ..protocol.way import Way
from .clock import now
from .models import ResourceNameRow, ResourceRow, ScopeRow, ToolRow


def write(connection: Connection, resource_id: str, resource: Resource) -> None:
    """Save all of *resource* for its row, which there is already. A new default takes the place of the old one."""
    if resource.is_default:
        connection.execute(update(ResourceRow).where(ResourceRow.is_default).values(is_default=False))
    own = update(ResourceRow).where(ResourceRow.id == resource_id)
    said = ("name", "is_default", "token_format", "signing_algorithm")
    connection.execute(own.values({name: getattr(resource, name) for name in said}))
    names = [{"uri": uri} for uri in sorted(resource.names)]
    scopes = [_scope_columns(scope, position) for position, scope in enumerate(resource.scopes)]
    tools = [_tool_columns(tool, position) for position, tool in enumerate(resource.tools)]
    for table, columns in ((ResourceNameRow, names), (ScopeRow, scopes), (ToolRow, tools)):
        if columns:
            connection.execute(insert(table), [{"resource_id": resource_id, **column} for column in columns])
    first = update(ToolRow).where(ToolRow.resource_id == resource_id, ToolRow.first_seen.is_(None))
    connection.execute(first.values(first_seen=now))


def clear(connection: Connection, resource_id: str) -> None:
    """Delete all of a resource but its row."""
    for table in (ResourceNameRow, ScopeRow, ToolRow):
        connection.execute(delete(table).where(table.resource_id == resource_id))


def read(session: Session, rows: Iterable[ResourceRow]) -> tuple[Resource, ...]:
    """The resources of *rows*, in three more queries however many they are."""
    names, scopes, tools = defaultdict(list), defaultdict(list), defaultdict(list)
    for name in session.scalars(select(ResourceNameRow).order_by(ResourceNameRow.uri)):
        names[name.resource_id].append(name.uri)
    for scope in session.scalars(select(ScopeRow).order_by(ScopeRow.position)):
        scopes[scope.resource_id].append(_scope(scope))
    for tool in session.scalars(select(ToolRow).order_by(ToolRow.position)):
        tools[tool.resource_id].append(_tool(tool))
    return tuple(_resource(row, names[row.id], scopes[row.id], tools[row.id]) for row in rows)


def _resource(row: ResourceRow, names: Sequence[str], scopes: Sequence[Scope], tools: Sequence[Tool]) -> Resource:
    return Resource(
        identifier=row.identifier,
        name=row.name,
        scopes=tuple(scopes),
        tools=tuple(tools),
        aliases=tuple(name for name in names if name != canonical(row.identifier)),
        is_default=row.is_default,
        token_format=TokenFormat(row.token_format),
        signing_algorithm=SigningAlgorithm(row.signing_algorithm) if row.signing_algorithm else None,
        heard=Heard(Source(row.tools_source), row.tools_heard_at or 0) if row.tools_source else None,
        suspended=row.suspended_at is not None,
    )


def _scope_columns(scope: Scope, position: int) -> dict[str, object]:
    return {
        "name": scope.name,
        "description": scope.description,
        "risk": scope.risk,
        "is_default": scope.is_default,
        "implies": scope.implies,
        "position": position,
    }


def _scope(row: ScopeRow) -> Scope:
    return Scope(row.name, row.description, Risk(row.risk), row.is_default, row.implies)


def _tool_columns(tool: Tool, position: int) -> dict[str, object]:
    return {
        "name": tool.name,
        "title": tool.title,
        "description": tool.description,
        "scopes": tool.scopes,
        "risk": tool.risk,
        "word": tool.word,
        "mark": tool.mark,
        "claim": asdict(tool.claim) if tool.claim else None,
        "policy": None if tool.policy == Way() else asdict(tool.policy),
        "first_seen": tool.first_seen,
        "position": position,
    }


def _tool(row: ToolRow) -> Tool:
    return Tool(
        name=row.name,
        title=row.title,
        scopes=row.scopes,
        description=row.description,
        risk=Risk(row.risk) if row.risk else None,
        word=Word(row.word),
        mark=Mark(row.mark),
        claim=_claim(row.claim) if row.claim else None,
        policy=Way(**row.policy) if row.policy else Way(),
        first_seen=row.first_seen,
    )


def _claim(saved: dict[str, Any]) -> Claim:
    arguments = tuple((name, kind) for name, kind in saved.get("arguments", ()))
    return Claim(**{**saved, "annotations": Annotations(**saved["annotations"]), "arguments": arguments})
