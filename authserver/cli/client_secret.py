"""``authserver client rotate-secret``: another secret for a client, without an outage (CR-12)."""

import click

from ..protocol import credential
from ..protocol.audit import Event
from ..services.deployment import Deployment
from .clients import existing
from .deployment import with_deployment

DAY = 86_400
LONGEST = 90 * DAY


@click.command("rotate-secret")
@click.argument("client_id")
@click.option(
    "--overlap",
    type=click.IntRange(0, LONGEST),
    default=DAY,
    show_default=True,
    help="Seconds that the secret until now stays good beside the new one; 0 ends it at once.",
)
@with_deployment
def rotate_secret(found: Deployment, client_id: str, overlap: int) -> None:
    """Give a client a new secret, shown once; the one until now stays good for a while."""
    one = existing(found, client_id)
    if one.secret_digest is None:
        raise click.ClickException("this client has no secret: it proves itself by a key, or not at all")
    secret = credential.mint(credential.Prefix.CLIENT_SECRET)
    event = Event("client.secret_rotated", "system", client_id=client_id, detail={"overlap": overlap})
    if not found.stores.clients.rotate_secret(client_id, credential.digest(secret), overlap, event):
        raise click.ClickException("this client was removed, or lost its secret, just now")
    click.echo(f"client_id: {client_id}\nclient_secret: {secret}")
    ended = f"ends in {overlap} seconds" if overlap else "has ended"
    click.echo(f"The secret until now {ended}; any one before it has ended.", err=True)
    if one.declared:
        click.echo("A file keeps this client: where the file says secret_env, change that variable too.", err=True)
