"""``authserver purge``: what nodes do on their own, at once."""

from collections import Counter
from dataclasses import asdict

import click

from ..services.deployment import Deployment
from ..services.maintenance import BATCH, Kept, Maintenance
from ..store.purge import purge as purge_batch
from .deployment import with_deployment


@click.command()
@with_deployment
def purge(found: Deployment) -> None:
    """Delete what has expired, in bounded batches."""
    window, kept = found.settings.refresh_retry_window, Kept.of(found.settings)
    Maintenance(found.stores, window, found.reaper, found.approvals, found.rotation, kept).sweep()
    total = Counter({"registrations": sum(found.reaper.reap()), "requests for a decision": found.approvals.expire()})
    while any((gone := purge_batch(found.stores.database, BATCH, **asdict(kept))).values()):
        total.update(gone)
    if any(total.values()):
        for name, count in total.items():
            click.echo(f"{name}: {count}")
    if gone:
        click.echo("purged" if any(total.values()) else "nothing had expired")
    else:
        click.echo("a node is purging: it goes on with the rest by itself")
