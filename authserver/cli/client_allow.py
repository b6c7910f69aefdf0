"""``authserver client allow``: what a client may get for itself, without a person (EX-1)."""

import click

from ..keys.pair import thumbprint
from ..protocol import credential, own_api
from ..protocol.audit import Event
from ..protocol.client import Client
from ..services.deployment import Deployment
from .clients import existing
from .deployment import with_deployment


@click.command("allow")
@click.argument("client_id")
@click.argument("resource")
@click.argument("scopes", nargs=-1)
@click.option("--none", "nothing", is_flag=True, help="Take away what it may get there.")
@with_deployment
def allow(found: Deployment, client_id: str, resource: str, scopes: tuple[str, ...], nothing: bool) -> None:
    """Say which SCOPES of the MCP server RESOURCE a client may get for itself, in place of those until now.

    Running servers know it within a second. Where it may less than before, MCP servers refuse the tokens that it has
    within seconds, and it gets others.

    A client that had nothing of this server's own API until now gets another secret with it, shown once: whoever gave
    it the one until now, perhaps by that API, is not let in by it.
    """
    if nothing == bool(scopes):
        raise click.UsageError("name the scopes that it may get, or --none")
    one = existing(found, client_id)
    wanted = tuple(dict.fromkeys(scopes))
    if not nothing:
        _check_client(one)
        _check_scopes(found, resource, wanted)
    lets_in = bool(wanted) and resource == own_api.identifier(found.settings.issuer) and resource not in one.ceilings
    secret = credential.mint(credential.Prefix.CLIENT_SECRET) if lets_in and one.auth_method.has_secret else None
    detail = {"scopes": list(wanted), **({"secret": "another"} if secret else {})}
    event = Event("client.allowed", "system", client_id=client_id, resource=resource, detail=detail)
    digest = credential.digest(secret) if secret else None
    if not found.stores.clients.set_ceiling(client_id, resource, wanted, event, digest):
        raise click.ClickException("this client was removed just now")
    click.echo(f"{client_id} may get for itself at {resource}: {' '.join(wanted) or 'nothing'}")
    if lets_in:
        _tell_proof(one, secret)
    if one.declared:
        click.echo("A file keeps this client: say it there too, or the next 'authserver apply' undoes it.", err=True)


def _check_client(one: Client) -> None:
    if not one.may_act_alone():
        raise click.ClickException(
            "this client gets nothing for itself: that needs one that was registered with "
            "'authserver client add --grant client_credentials', proves itself, and is neither waiting nor suspended"
        )


def _tell_proof(one: Client, secret: str | None) -> None:
    """By what it proves itself at the API: the *secret* that it has now, or its keys by thumbprint (RFC 7638)."""
    if secret is not None:
        click.echo(f"client_secret: {secret}")
        click.echo("This is its secret from now on; any one before it has ended.", err=True)
        return
    keys = one.jwks_uri or ", ".join(thumbprint(key) for key in (one.jwks or {}).get("keys", ()))
    click.echo(f"It proves itself by keys; make sure that they are its own: {keys}", err=True)


def _check_scopes(found: Deployment, resource: str, scopes: tuple[str, ...]) -> None:
    known = {one.identifier: [scope.name for scope in one.scopes] for one in found.stores.resources.all()}
    if resource not in known:
        raise click.ClickException(f"{resource} is not registered: 'authserver resource list' shows what is")
    if missing := [scope for scope in scopes if scope not in known[resource]]:
        raise click.ClickException(
            f"not scopes of this server: {', '.join(missing)}; it has: {' '.join(known[resource])}"
        )
