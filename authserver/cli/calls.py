"""``authserver call``: what apps called, as the guards of MCP servers told it (docs/receipts.md)."""

import json
import time
from dataclasses import asdict

import click

from ..services.deployment import Deployment
from ..store.tool_calls import CallFilter, CallListing
from .deployment import with_deployment
from .person import person
from .plain import plain


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
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@with_deployment
def list_calls(found: Deployment, /, username: str | None, limit: int, as_json: bool, **wanted: str | None) -> None:
    """Show tool calls that fit all options, newest first. Arguments are as the guard redacted them."""
    user_id = person(found, username).id if username else None
    for line in found.stores.tool_calls.page(CallFilter(user_id, **wanted), None, limit):
        click.echo(json.dumps(asdict(line)) if as_json else _row(line))


def _row(line: CallListing) -> str:
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(line.at_ms / 1000))
    who = line.username or line.subject
    by = line.client_name or line.client_id
    return f"{at}  {line.outcome:10} {plain(line.tool)}  {plain(who)} by {plain(by)} at {plain(line.resource)}"
