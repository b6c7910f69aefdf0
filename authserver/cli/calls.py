"""``authserver call``: what apps called, as the guards of MCP servers told it (docs/receipts.md)."""

import time
from dataclasses import asdict

import click

from ..services.deployment import Deployment
from ..store.tool_calls import CallFilter, CallListing, Volume
from .deployment import with_deployment
from .person import person
from .table import as_objects, show

VOLUME_HEADS = ("tool", "server", "24 hours", "7 days", "refused")
HEADS = ("when", "outcome", "tool", "as", "by", "server")


@click.group()
def call() -> None:
    """Tool calls."""


@call.command("list")
@click.option("--user", "username", help="Those as this person.")
@click.option("--client", "client_id", help="Those by this client.")
@click.option("--server", "resource", help="Those at this MCP server.")
@click.option("--tool", help="Those of the tool of this name.")
@click.option("--grant", "grant_id", help="Those by this grant.")
@click.option("--limit", default=50, show_default=True, help="How many at the most, newest first.")
@as_objects
@with_deployment
def list_calls(found: Deployment, /, username: str | None, limit: int, as_json: bool, **wanted: str | None) -> None:
    """Show tool calls that fit all options, newest first. Arguments are as the guard redacted them."""
    user_id = person(found, username).id if username else None
    page = found.stores.tool_calls.page(CallFilter(user_id, **wanted), None, limit)
    show(page, HEADS, _row, asdict, as_json=as_json)


@call.command("volumes")
@click.option("--server", "resource", help="Those of this MCP server.")
@as_objects
@with_deployment
def volumes(found: Deployment, resource: str | None, as_json: bool) -> None:
    """Show the tools that were called most in the last seven days, busiest first: how often, and how many refused."""
    show(found.stores.tool_calls.volumes(resource), VOLUME_HEADS, _volume, asdict, as_json=as_json)


def _volume(line: Volume) -> tuple[str, ...]:
    return line.tool, line.resource, str(line.day), str(line.week), str(line.refused)


def _row(line: CallListing) -> tuple[str, ...]:
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(line.at_ms / 1000))
    who = line.username or line.subject
    return at, line.outcome, line.tool, who, line.client_name or line.client_id, line.resource
