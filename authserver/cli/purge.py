"""``authserver purge``: what nodes do on their own, at once."""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict

import click

from ..services.deployment import Deployment
from ..services.maintenance import BATCH, Kept, Maintenance
from ..store.failures import UNAVAILABLE, is_withheld
from ..store.purge import purge_all
from .deployment import with_deployment

HELD = "somebody holds what has to be looked at, or it took too long: {}; try again, nodes do so by themselves"
ENDED = "what has ended"


@click.command()
@with_deployment
def purge(found: Deployment) -> None:
    """Delete what has expired, in bounded batches."""
    window, kept = found.settings.refresh_retry_window, Kept.of(found.settings)
    steps: dict[str, Callable[[], int | None]] = {
        ENDED: Maintenance(found.stores, window, found.reaper, found.approvals, found.rotation, kept).sweep,
        "registrations": lambda: sum(found.reaper.reap()),
        "requests for a decision": found.approvals.expire,
    }
    total, held = Counter[str](), list[str]()
    for name, step in steps.items():
        try:
            total[name] = step() or 0
        except UNAVAILABLE as problem:
            if not is_withheld(problem):
                raise
            held.append(name)
    del total[ENDED]
    done = purge_all(found.stores.database, BATCH, **asdict(kept), seconds=math.inf, wait=lambda pause: False)
    total.update(done.rows)
    if any(total.values()):
        for name, count in total.items():
            click.echo(f"{name}: {count}")
    if held := [*held, *done.failed]:
        raise click.ClickException(HELD.format(", ".join(held)))
    if done.elsewhere:
        click.echo("a node is purging: it goes on with the rest by itself")
    else:
        click.echo("purged" if any(total.values()) else "nothing had expired")
