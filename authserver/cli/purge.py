"""``authserver purge``: what nodes do on their own, at once."""

import click

from ..services.deployment import Deployment
from ..services.maintenance import BATCH, Maintenance
from ..store.purge import purge as purge_batch
from .deployment import with_deployment


@click.command()
@with_deployment
def purge(found: Deployment) -> None:
    """Delete what has expired, in bounded batches."""
    window = found.settings.refresh_retry_window
    Maintenance(found.stores, window, found.reaper, found.approvals, found.rotation).sweep()
    gone = {"clients": sum(found.reaper.reap()), "requests for a decision": found.approvals.expire()}
    total = {name: count for name, count in gone.items() if count}
    while any((gone := purge_batch(found.stores.database, BATCH)).values()):
        total = {name: total.get(name, 0) + count for name, count in gone.items()}
    for name, count in total.items():
        click.echo(f"{name}: {count}")
    click.echo("purged" if total else "nothing had expired")
