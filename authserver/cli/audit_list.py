"""``authserver audit list``: the newest events, sealed or not, by what they are about."""

import json
from datetime import UTC, datetime
from functools import partial
from typing import Any

import click

from ..services.deployment import Deployment
from ..store.audit import AuditFilter, AuditListing
from ..store.paging import filled
from .deployment import without_secrets
from .person import person
from .table import as_objects, show

HEADS = ("when", "what", "outcome", "who", "from", "about", "reference")


@click.command("list")
@click.option("--name", help="Those of this name, such as grant.revoked.")
@click.option("--user", "username", help="Those about this person.")
@click.option("--client", "client_id", help="Those about this client.")
@click.option("--grant", "grant_id", help="Those about this grant.")
@click.option("--server", "resource", help="Those about this MCP server.")
@click.option("--outcome", help="Those that ended so, such as refused.")
@click.option("--actor", help="Those that this one did: user:ID, client:ID, or system.")
@click.option("--reference", "correlation_id", help="Those of the request with this reference.")
@click.option("--limit", default=50, show_default=True, help="How many at the most, newest first.")
@as_objects
@without_secrets
def list_events(found: Deployment, /, username: str | None, limit: int, as_json: bool, **wanted: str | None) -> None:
    """Show events that fit all options, newest first. What is not sealed yet is among them: 'export' leaves it out."""
    chosen = AuditFilter(user_id=person(found, username).id if username else None, **wanted)
    show(filled(partial(found.stores.audit.page, chosen), limit), HEADS, _row, _facts, as_json=as_json)


def _facts(line: AuditListing) -> dict[str, Any]:
    return {"id": line.id, "at_ms": line.at_ms, **line.event._asdict(), "origin": line.event.origin._asdict()}


def _row(line: AuditListing) -> tuple[str, ...]:
    event = line.event
    about = {
        "user": event.user_id,
        "client": event.client_id,
        "server": event.resource,
        "grant": event.grant_id,
        **{name: value if isinstance(value, str) else json.dumps(value) for name, value in event.detail.items()},
    }
    return (
        datetime.fromtimestamp(line.at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S"),
        event.name,
        event.outcome,
        event.actor,
        event.origin.address,
        " ".join(f"{name}={value}" for name, value in about.items() if value),
        event.origin.correlation_id,
    )
