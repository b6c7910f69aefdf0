"""``authserver resource``: the MCP servers that tokens are for."""

import time

import click

from ..protocol import credential
from ..protocol.audit import Event
from ..protocol.client import AuthMethod, Client, ClientKind
from ..protocol.resource import Resource, canonical
from ..protocol.scope import OFFLINE_ACCESS, TOKEN, Risk, Scope, Tool
from ..services.deployment import Deployment
from ..store.resources import AlreadyRegistered
from .deployment import with_deployment


@click.group()
def resource() -> None:
    """MCP servers that tokens are for."""


@resource.command("add")
@click.argument("identifier")
@click.option("--name", required=True, help="The name that people see.")
@click.option("--scope", "scopes", multiple=True, required=True, help='NAME="what it allows, in words". Repeatable.')
@click.option(
    "--default", "defaults", multiple=True, help="A scope that is granted when none is asked for. Repeatable."
)
@click.option("--risk", "risks", multiple=True, help="SCOPE=read|write|destructive. Repeatable.")
@click.option("--implies", multiple=True, help="SCOPE=SCOPE[,SCOPE]: what a scope contains. Repeatable.")
@click.option("--tool", "tools", multiple=True, help='NAME="SCOPE[,SCOPE] title": a tool and what opens it.')
@click.option("--alias", "aliases", multiple=True, help="A further URI that means this server. Repeatable.")
@click.option("--make-default", is_flag=True, help="The server that requests without a resource are about.")
@with_deployment
def add(  # noqa: PLR0913, PLR0917 - one argument for each option
    found: Deployment,
    identifier: str,
    name: str,
    scopes: tuple[str, ...],
    defaults: tuple[str, ...],
    risks: tuple[str, ...],
    implies: tuple[str, ...],
    tools: tuple[str, ...],
    aliases: tuple[str, ...],
    make_default: bool,
) -> None:
    """Register an MCP server by its URL; running servers know it at once."""
    for uri in (identifier, *aliases):
        _check_uri(uri, found.settings.issuer)
    listed = _scopes(_pairs("--scope", scopes), defaults, _pairs("--risk", risks), _pairs("--implies", implies))
    made = Resource(
        identifier=identifier,
        name=name,
        scopes=listed,
        tools=_tools(_pairs("--tool", tools), {scope.name for scope in listed}),
        aliases=tuple(map(canonical, aliases)),
        is_default=make_default,
    )
    try:
        found.stores.resources.add(made, Event("resource.added", "system", resource=identifier))
    except AlreadyRegistered as taken:
        raise click.ClickException(str(taken)) from None
    click.echo(f"added {identifier}")


@resource.command("list")
@with_deployment
def list_resources(found: Deployment) -> None:
    """Show the registered MCP servers."""
    for one in found.stores.resources.all():
        names = " ".join(scope.name + ("*" if scope.is_default else "") for scope in one.scopes)
        click.echo(f"{one.identifier}  {one.name}  scopes: {names}" + ("  (default server)" if one.is_default else ""))


@resource.command("credentials")
@click.argument("identifier")
@with_deployment
def credentials(found: Deployment, identifier: str) -> None:
    """Make a client with a secret that may introspect the tokens of one MCP server; shown once."""
    if identifier not in {one.identifier for one in found.stores.resources.all()}:
        raise click.ClickException(f"{identifier} is not registered: 'authserver resource list' shows what is")
    secret = credential.mint(credential.Prefix.CLIENT_SECRET)
    client = Client(
        client_id=credential.identifier(),
        kind=ClientKind.RESOURCE_SERVER,
        name=f"MCP server {identifier}",
        redirect_uris=(),
        auth_method=AuthMethod.SECRET_BASIC,
        grant_types=(),
        created_at=int(time.time()),
        secret_digest=credential.digest(secret),
        metadata={"resource": identifier},
    )
    event = Event("client.added", "system", client_id=client.client_id, resource=identifier)
    found.stores.clients.register(client, event)
    click.echo(f"client_id: {client.client_id}\nclient_secret: {secret}")


def _check_uri(uri: str, issuer: str) -> None:
    if canonical(uri) == canonical(issuer):
        raise click.BadParameter("an MCP server is not the authorization server itself: a token's audience says which")
    if "?" in uri:
        raise click.BadParameter(f"{uri!r} has a query; an MCP server's URL has none")


def _pairs(option: str, given: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not TOKEN.fullmatch(name) or not value:
            raise click.BadParameter(f"{text!r} is not of the form NAME=VALUE", param_hint=option)
        found[name] = value
    return found


def _scopes(
    words: dict[str, str], defaults: tuple[str, ...], risks: dict[str, str], implies: dict[str, str]
) -> tuple[Scope, ...]:
    named = {*defaults, *risks, *implies, *(name for text in implies.values() for name in text.split(","))}
    if unknown := named - words.keys():
        raise click.BadParameter(f"not a --scope of this server: {', '.join(sorted(unknown))}")
    if OFFLINE_ACCESS in words:
        raise click.BadParameter(f"{OFFLINE_ACCESS} is about refresh tokens, not about an MCP server")
    try:
        return tuple(
            Scope(
                name=name,
                description=text,
                risk=Risk(risks.get(name, Risk.READ)),
                is_default=name in defaults,
                implies=tuple(filter(None, implies.get(name, "").split(","))),
            )
            for name, text in words.items()
        )
    except ValueError:
        raise click.BadParameter(f"must be one of: {', '.join(Risk)}", param_hint="--risk") from None


def _tools(given: dict[str, str], scopes: set[str]) -> tuple[Tool, ...]:
    found = []
    for name, text in given.items():
        needed, _, title = text.partition(" ")
        opened_by = tuple(needed.split(","))
        if not scopes.issuperset(opened_by):
            raise click.BadParameter(f"{name!r} is opened by scopes of this server only", param_hint="--tool")
        found.append(Tool(name, title or name, opened_by))
    return tuple(found)
