"""``authserver api``: the API of administration, for clients that act for themselves (EX-1)."""

import json

import click

from ..protocol import own_api
from ..protocol.audit import Event
from ..services.deployment import Deployment
from ..services.own_api import enable as enable_api
from ..web.admin.roles import ACTS
from ..web.api import OPERATIONS, openapi
from .deployment import with_deployment

EXAMPLE = """\
  authserver client add "Night job" --allow {resource}="admin:clients.read admin:grants.revoke\""""


@click.group()
def api() -> None:
    """The API of administration: enable it, and print what it has."""


@api.command()
@with_deployment
def enable(found: Deployment) -> None:
    """Open the API at ISSUER/api/v1 to clients that were allowed scopes of it. Safe to run again.

    Run it again after an upgrade, for scopes that are new.
    """
    issuer = found.settings.issuer
    resource = own_api.identifier(issuer)
    done = enable_api(found.stores.resources, issuer, ACTS, Event("api.enabled", "system", resource=resource))
    click.echo(f"{resource} is enabled" if done else f"{resource} was enabled already")
    click.echo("Let a client in:")
    click.echo(EXAMPLE.format(resource=resource))


@api.command()
@with_deployment
def document(found: Deployment) -> None:
    """Print the OpenAPI document."""
    click.echo(json.dumps(openapi.document(found.settings.issuer, OPERATIONS), indent=2))
