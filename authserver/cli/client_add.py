"""``authserver client add``: register a client beforehand (CR-11)."""

import json
from pathlib import Path
from typing import Any

import click

from ..protocol import credential
from ..protocol.client import AuthMethod, GrantType
from ..protocol.registration.prepared import Prepared, usual_grants, usual_method
from ..services.deployment import Deployment
from ..services.preregistration import AlreadyThere, NotAcceptable, Preregistration
from .deployment import with_deployment

MOST_JWKS = 65_536
METHODS = click.Choice([str(method) for method in AuthMethod])
GRANTS = click.Choice([str(grant) for grant in GrantType])


@click.command("add")
@click.argument("name")
@click.option("--redirect-uri", "redirect_uris", multiple=True, help="Where people may be sent back to. Repeatable.")
@click.option("--auth-method", type=METHODS, help="How it proves itself. Left out: by its keys, else as it needs.")
@click.option("--jwks", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="File: its public keys.")
@click.option("--jwks-uri", help="Where its public keys are.")
@click.option("--grant", "grants", type=GRANTS, multiple=True, help="Left out: what fits the redirect URIs.")
@click.option("--allow", multiple=True, help='RESOURCE="SCOPE SCOPE": what it may get for itself. Repeatable.')
@click.option("--id", "client_id", help="The client id; a random one if left out.")
@with_deployment
def add(  # noqa: PLR0913, PLR0917 - one argument for each option
    found: Deployment,
    name: str,
    redirect_uris: tuple[str, ...],
    auth_method: str | None,
    jwks: Path | None,
    jwks_uri: str | None,
    grants: tuple[str, ...],
    allow: tuple[str, ...],
    client_id: str | None,
) -> None:
    """Register a client that people need not wait for. A secret, if it has one, is shown once."""
    grants = tuple(dict.fromkeys(grants)) or usual_grants(redirect_uris)
    method = AuthMethod(auth_method) if auth_method else usual_method(grants, has_keys=bool(jwks or jwks_uri))
    prepared = Prepared(
        client_id=credential.identifier() if client_id is None else client_id,
        name=name,
        redirect_uris=redirect_uris,
        auth_method=method,
        grant_types=grants,
        jwks=_json(jwks) if jwks else None,
        jwks_uri=jwks_uri,
        ceilings=_ceilings(allow),
    )
    try:
        secret = Preregistration(found.stores.clients, found.stores.resources).add(prepared)
    except (AlreadyThere, NotAcceptable) as refused:
        raise click.ClickException(str(refused)) from None
    click.echo(f"client_id: {prepared.client_id}" + (f"\nclient_secret: {secret}" if secret else ""))


def _json(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        content = file.read(MOST_JWKS + 1)
    try:
        loaded = json.loads(content) if len(content) <= MOST_JWKS else None
    except (ValueError, RecursionError):
        loaded = None
    if not isinstance(loaded, dict):
        raise click.BadParameter(f"not a JSON object of at most {MOST_JWKS} bytes", param_hint="--jwks")
    return loaded


def _ceilings(allow: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for text in allow:
        resource, equals, scopes = text.partition("=")
        if not equals or not resource or not scopes.split():
            raise click.BadParameter(f'{text!r} is not of the form RESOURCE="SCOPE SCOPE"', param_hint="--allow")
        found[resource] = (*found.get(resource, ()), *scopes.split())
    return found
