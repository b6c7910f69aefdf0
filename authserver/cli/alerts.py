"""``authserver alert``: what looked unusual, until somebody has seen it (docs/notices.md)."""

import time
from typing import Any

import click

from ..protocol.audit import Event
from ..services.alerts.words import told
from ..services.deployment import Deployment
from ..store.alerts import AlertListing
from .deployment import with_deployment
from .plain import plain
from .table import as_objects, show

HEADS = ("id", "severity", "raised", "what")
FACTS = ("id", "kind", "severity", "resource", "client_id", "user_id", "tool", "raised_at", "detail")


@click.group()
def alert() -> None:
    """What looked unusual."""


@alert.command("list")
@click.option("--limit", default=50, show_default=True, help="How many at the most, critical ones first, then newest.")
@as_objects
@with_deployment
def list_alerts(found: Deployment, limit: int, as_json: bool) -> None:
    """Show what nobody has dismissed."""
    show(found.stores.alerts.standing(None, limit), HEADS, _row, _facts, as_json=as_json)


@alert.command("dismiss")
@click.argument("alert_id", metavar="ID")
@click.option("--older", is_flag=True, help="And all older ones of its kind.")
@with_deployment
def dismiss(found: Deployment, alert_id: str, older: bool) -> None:
    """Take an alert off the lists. What it is about goes on."""
    alerts = found.stores.alerts
    dismissed = (alerts.dismiss_until if older else alerts.dismiss)(alert_id, Event("alert.dismissed", "system"))
    if not dismissed:
        raise click.ClickException("there is no alert of this id that nobody has dismissed: 'authserver alert list'")
    click.echo(f"dismissed {int(dismissed)}")


def _facts(line: AlertListing) -> dict[str, Any]:
    return {name: getattr(line, name) for name in FACTS}


def _row(line: AlertListing) -> tuple[str, ...]:
    at = time.strftime("%Y-%m-%d %H:%M", time.gmtime(line.raised_at))
    return line.id, line.severity, at, told(line, plain)
