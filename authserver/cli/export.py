"""``authserver export``: what there is, as a file that ``authserver apply`` takes."""

import click

from ..services.deployment import Deployment
from ..services.desired_state.exported import exported, unclear
from .deployment import without_secrets
from .plain import plain


@click.command()
@without_secrets
def export(found: Deployment) -> None:
    """Print MCP servers, pre-registered clients, roles, groups and rules as YAML for 'authserver apply', no secrets.

    Applied here it changes nothing; applied to another deployment it makes the same there.
    """
    text = exported(found.stores)
    click.echo(text, nl=False)
    for note in unclear(found.stores, text):
        click.echo(plain(note), err=True)
