"""Registered MCP servers with their catalogue of scopes and tools."""

from typing import Any

from sqlalchemy import JSON, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from .base import Row, Seconds


class ResourceRow(Row):
    """An MCP server. ``identifier`` is what ``aud`` carries, to the letter."""

    __tablename__ = "resources"

    id: Mapped[str] = mapped_column(primary_key=True)
    identifier: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    is_default: Mapped[bool]
    created_at: Mapped[Seconds]
    suspended_at: Mapped[Seconds | None]
    token_format: Mapped[str] = mapped_column(server_default="jwt")
    signing_algorithm: Mapped[str | None]
    tools_source: Mapped[str | None]
    tools_heard_at: Mapped[Seconds | None]


class ResourceNameRow(Row):
    """A canonical URI that means a resource; its key keeps two resources from having one in common (AZ-4)."""

    __tablename__ = "resource_names"
    __table_args__ = (Index(None, "resource_id"),)

    uri: Mapped[str] = mapped_column(primary_key=True)
    resource_id: Mapped[str] = mapped_column(ForeignKey("resources.id"))


class ScopeRow(Row):
    """A scope of a resource, at its place in the list that people see."""

    __tablename__ = "resource_scopes"

    resource_id: Mapped[str] = mapped_column(ForeignKey("resources.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    description: Mapped[str]
    risk: Mapped[str]
    is_default: Mapped[bool]
    implies: Mapped[tuple[str, ...]]
    position: Mapped[int]


class ToolRow(Row):
    """A tool of a resource; all of ``scopes`` are needed to call it. ``claim`` is what its server said last.

    ``policy`` is the widest way in which it may be called, None for any.
    """

    __tablename__ = "resource_tools"

    resource_id: Mapped[str] = mapped_column(ForeignKey("resources.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    description: Mapped[str]
    scopes: Mapped[tuple[str, ...]]
    risk: Mapped[str | None]
    word: Mapped[str] = mapped_column(server_default="administrator")
    mark: Mapped[str] = mapped_column(server_default="agreed")
    claim: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    policy: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    first_seen: Mapped[Seconds | None]
    position: Mapped[int]
