"""``authserver client history``: what a client said of itself before, and what changed it."""

import json
import time
from dataclasses import asdict

import click

from ..services.client_history import Revision, revisions
from ..services.deployment import Deployment
from .clients import existing
from .deployment import with_deployment
from .plain import plain
from .table import as_objects


@click.command("history")
@click.argument("client_id")
@as_objects
@with_deployment
def history(found: Deployment, client_id: str, as_json: bool) -> None:
    """Show each change of what a client says of itself, newest first: when, by what, and what went and came."""
    changes = revisions(found.stores.client_versions.of(existing(found, client_id).client_id))
    for change in changes:
        if as_json:
            click.echo(json.dumps(asdict(change)))
        else:
            _tell(change)
    if not changes and not as_json:
        click.echo("it has not changed")


def _tell(change: Revision) -> None:
    at = time.strftime("%Y-%m-%d %H:%M", time.gmtime(change.at))
    click.echo(f"{at}  {plain(change.event)} by {plain(change.actor)}")
    for each in change.differences:
        for sign, colour, parts in (("-", "red", each.gone), ("+", "green", each.new)):
            for part in parts:
                click.echo("  " + click.style(f"{sign} {plain(each.name)}: {plain(part)}", fg=colour))
