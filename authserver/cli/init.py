"""``authserver init``: what a new deployment needs."""

import click

from ..keys import wrapping
from ..keys.sealing import SealError
from ..settings import Settings
from .deployment import deployment, settings
from .migrate import bring_up_to_date


@click.command()
def init() -> None:
    """Make what is missing: home folder, key file, database schema, signing keys. Safe to run again."""
    configured = settings()
    in_file = not configured.key_encryption_key.get_secret_value()
    if in_file:
        configured.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    bring_up_to_date(configured)
    if in_file:
        _make_key_file(configured)
    try:
        for kid in deployment().rotation.ensure():
            click.echo(f"made signing key {kid}")
    except SealError as wrong:
        raise click.ClickException(str(wrong)) from None
    click.echo("ready: 'authserver serve' starts the server")


def _make_key_file(configured: Settings) -> None:
    """Unless it is there. One for a database that has secrets under another would only be in that one's way."""
    stores, path = deployment(with_secrets=False).stores, configured.home / wrapping.FILE_NAME
    if not path.exists() and (stores.roots.all() or stores.keys.all()):
        raise click.ClickException(
            f"this database has secrets, and the key-encryption key that opens them is not here: put it into {path} or "
            "set AUTHSERVER_KEY_ENCRYPTION_KEY. If it is lost, docs/recovery.md says what is left to do"
        )
    if wrapping.create_key_file(configured.home):
        click.echo(f"made {path} (keep it secret, back it up)")
