"""``authserver init``: what a new deployment needs."""

import click

from ..keys import wrapping
from .deployment import deployment, settings
from .migrate import bring_up_to_date


@click.command()
def init() -> None:
    """Make what is missing: home folder, key file, database schema, signing keys. Safe to run again."""
    configured = settings()
    if not configured.key_encryption_key.get_secret_value() and wrapping.create_key_file(configured.home):
        click.echo(f"made {configured.home / wrapping.FILE_NAME} (keep it secret, back it up)")
    bring_up_to_date(configured)
    for kid in deployment().rotation.ensure():
        click.echo(f"made signing key {kid}")
    click.echo("ready: 'authserver serve' starts the server")
