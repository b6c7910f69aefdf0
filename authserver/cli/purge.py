"""``authserver purge``: what nodes do on their own, at once."""

import math
from collections import Counter
from dataclasses import asdict

import click

from ..services.deployment import Deployment
from ..services.maintenance import BATCH, Kept, Maintenance
from ..store.purge import purge_all
from .deployment import with_deployment

HELD = "somebody holds what has to be looked at, or it took too long: {}; try again, nodes do so by themselves"


@click.command()
@with_deployment
def purge(found: Deployment) -> None:
    """Delete what has expired, in bounded batches."""
    window, kept = found.settings.refresh_retry_window, Kept.of(found.settings)
    Maintenance(found.stores, window, found.reaper, found.approvals, found.rotation, kept).sweep()
    total = Counter({"registrations": sum(found.reaper.reap()), "requests for a decision": found.approvals.expire()})
    done = purge_all(found.stores.database, BATCH, **asdict(kept), seconds=math.inf, wait=lambda pause: False)
    total.update(done.rows)
    if any(total.values()):
        for name, count in total.items():
            click.echo(f"{name}: {count}")
    if done.failed:
        raise click.ClickException(HELD.format(", ".join(done.failed)))
    if done.whole:
        click.echo("purged" if any(total.values()) else "nothing had expired")
    else:
        click.echo("a node is purging: it goes on with the rest by itself")
