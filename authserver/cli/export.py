"""``authserver export``: what there is, as a file that ``authserver apply`` takes."""

import click

from ..services.deployment import Deployment
from ..services.desired_state.exported import exported, unclear
from .deployment import with_deployment
from .plain import plain


@click.command()
@with_deployment
def export(found: Deployment) -> None:
    """Print MCP servers and pre-registered clients as YAML for 'authserver apply', without secrets.

    Applied here it changes nothing; applied to another deployment it makes the same there.
    """
    resources, clients = found.stores.resources.all(), found.stores.clients.preregistered()
    click.echo(exported(resources, clients), nl=False)
    for note in unclear(resources, clients):
        click.echo(plain(note), err=True)
