"""``authserver purge``: what nodes do on their own, at once."""

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
    gone = {"registrations": sum(found.reaper.reap()), "requests for a decision": found.approvals.expire()}
    total = {name: count for name, count in gone.items() if count}
    while any((gone := purge_batch(found.stores.database, BATCH, **asdict(kept))).values()):
        total = {name: total.get(name, 0) + count for name, count in gone.items()}
    for name, count in total.items():
        click.echo(f"{name}: {count}")
    click.echo("purged" if total else "nothing had expired")
