"""The end of many grants by command: in batches, each told, until none is left."""

import click

from ..protocol.audit import Event
from ..services.deployment import Deployment
from ..store.grants import Whose


def revoke_in_batches(found: Deployment, whose: Whose) -> None:
    """End the live grants of *whose*, saying after each batch how many ended until then."""
    total = 0
    while ended := found.stores.grants.revoke_all(whose, Event("grants.revoked", "system")):
        total += ended
        click.echo(f"revoked {total}")
    if not total:
        click.echo("revoked 0")
