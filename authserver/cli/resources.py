"""``authserver resource``: the MCP servers that tokens are for."""

from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click

from ..protocol import catalogue
from ..protocol.audit import Event
from ..protocol.resource import Resource, SigningAlgorithm, TokenFormat, canonical
from ..protocol.scope import TOKEN, Risk, Scope
from ..protocol.tool import Tool
from ..services.deployment import Deployment
from ..store.resources import AlreadyRegistered
from .deployment import with_deployment
from .elsewhere import Elsewhere
from .guard_key import identity
from .plain import plain
from .table import as_objects, show

NEW_FILE = click.Path(dir_okay=False, path_type=Path)
FORMATS = click.Choice([token_format.value for token_format in TokenFormat])
ALGORITHMS = [algorithm.value for algorithm in SigningAlgorithm]
USUAL = "usual"
CREDENTIALS = "authserver resource credentials {} --guard-key FILE"
HEADS = ("identifier", "name", "scopes", "state")
TOLD = ("identifier", "name", "aliases", "is_default", "token_format", "signing_algorithm", "suspended")
FORMAT_HELP = "jwt, which the server judges by itself; opaque, about which it asks this server each time."
ALGORITHM_HELP = "What its JWTs are signed by; unless said, as the setting access_token_algorithm says."
ELSEWHERE = {
    "show": "resource_state.show",
    "suspend": "resource_state.suspend",
    "resume": "resource_state.resume",
    "remove": "resource_state.remove",
    "sync": "tools.sync",
    "diff": "tools.diff",
    "agree": "tools.agree",
    "tool": "tools.tool",
    "limit": "tool_limits.limit",
}


@click.group(commands=Elsewhere(ELSEWHERE))
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
@click.option("--token-format", type=FORMATS, default=TokenFormat.JWT.value, show_default=True, help=FORMAT_HELP)
@click.option("--signing-algorithm", type=click.Choice(ALGORITHMS), help=ALGORITHM_HELP)
@click.option("--guard-key", type=NEW_FILE, help="Make an identity for its guard: new file for the private key.")
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
    token_format: str,
    signing_algorithm: str | None,
    guard_key: Path | None,
) -> None:
    """Register an MCP server by its URL; running servers know it at once."""
    listed = _scopes(_pairs("--scope", scopes), defaults, _pairs("--risk", risks), _pairs("--implies", implies))
    written = Resource(
        identifier=identifier,
        name=name,
        scopes=listed,
        tools=_tools(_pairs("--tool", tools)),
        aliases=aliases,
        is_default=make_default,
        token_format=TokenFormat(token_format),
        signing_algorithm=SigningAlgorithm(signing_algorithm) if signing_algorithm else None,
    )
    if wrong := list(catalogue.flaws(written, found.settings.issuer)):
        raise click.ClickException("\n".join(map(str, wrong)))
    made = replace(written, aliases=tuple(map(canonical, aliases)))
    with identity(found, identifier, guard_key) if guard_key else nullcontext():
        try:
            found.stores.resources.add(made, Event("resource.added", "system", resource=identifier))
        except AlreadyRegistered as taken:
            raise click.ClickException(str(taken)) from None
        click.echo(f"added {identifier}")
    if guard_key is None:
        click.echo(f"an identity for its guard: {CREDENTIALS.format(identifier)}", err=True)


@resource.command("edit")
@click.argument("identifier")
@click.option("--name", help="The name that people see.")
@click.option("--token-format", type=FORMATS, help=FORMAT_HELP)
@click.option("--signing-algorithm", type=click.Choice([*ALGORITHMS, USUAL]), help=ALGORITHM_HELP)
@click.option("--alias", "aliases", multiple=True, help="A further URI that means this server. Repeatable.")
@click.option("--drop-alias", "dropped", multiple=True, help="A URI that means it no longer. Repeatable.")
@with_deployment
def edit(
    found: Deployment,
    identifier: str,
    name: str | None,
    token_format: str | None,
    signing_algorithm: str | None,
    aliases: tuple[str, ...],
    dropped: tuple[str, ...],
) -> None:
    """Change the MCP server IDENTIFIER. Tokens that were issued stay good in their old format until they expire."""
    before = registered(found, identifier)
    after = replace(
        before,
        name=before.name if name is None else name,
        token_format=TokenFormat(token_format) if token_format else before.token_format,
        signing_algorithm=_algorithm(before, signing_algorithm),
        aliases=_aliases(before, aliases, dropped),
    )
    if wrong := list(catalogue.flaws(after, found.settings.issuer)):
        raise click.ClickException("\n".join(map(str, wrong)))
    if after == before:
        click.echo("nothing to do")
        return
    _save(found, before, after)
    also = f", also known as {' '.join(after.aliases)}" if after.aliases else ""
    click.echo(f"saved: {plain(after.name)}, {after.token_format} tokens{also}")
    if after.token_format is not before.token_format and after.token_format is TokenFormat.OPAQUE:
        click.echo(f"its guard asks here as itself now: {CREDENTIALS.format(identifier)}", err=True)


@resource.command("list")
@as_objects
@with_deployment
def list_resources(found: Deployment, as_json: bool) -> None:
    """Show the registered MCP servers, those that are suspended last."""
    show(found.stores.resources.every(), HEADS, _row, facts, as_json=as_json)


@resource.command("credentials")
@click.argument("identifier")
@click.option("--guard-key", type=NEW_FILE, required=True, help="New file for the private key.")
@with_deployment
def credentials(found: Deployment, identifier: str, guard_key: Path) -> None:
    """Make an identity for the guard of an MCP server, to introspect its tokens with: a client with a key (RS-11)."""
    registered(found, identifier)
    with identity(found, identifier, guard_key):
        pass


def registered(found: Deployment, identifier: str) -> Resource:
    """The MCP server of exactly that *identifier*, suspended or not. Raises `click.ClickException`."""
    resource = found.stores.resources.find(identifier)
    if resource is None:
        raise click.ClickException(f"{plain(identifier)} is not registered: 'authserver resource list' shows what is")
    return resource


def facts(one: Resource) -> dict[str, Any]:
    """What programs are told of an MCP server."""
    scopes = [asdict(scope) for scope in one.scopes]
    return {**{name: getattr(one, name) for name in TOLD}, "scopes": scopes}


def state_of(one: Resource) -> str:
    """What is not usual about an MCP server, in words."""
    marks = {
        "suspended": one.suspended,
        "default server": one.is_default,
        "opaque tokens": one.token_format is TokenFormat.OPAQUE,
    }
    return ", ".join(mark for mark, fits in marks.items() if fits)


def _row(one: Resource) -> tuple[str, ...]:
    names = " ".join(scope.name + ("*" if scope.is_default else "") for scope in one.scopes)
    return one.identifier, one.name, names, state_of(one)


def _algorithm(before: Resource, said: str | None) -> SigningAlgorithm | None:
    if said is None:
        return before.signing_algorithm
    return None if said == USUAL else SigningAlgorithm(said)


def _aliases(before: Resource, added: tuple[str, ...], dropped: tuple[str, ...]) -> tuple[str, ...]:
    gone = set(map(canonical, dropped))
    if unknown := gone - set(before.aliases):
        raise click.BadParameter(f"no alias of this server: {', '.join(sorted(unknown))}", param_hint="--drop-alias")
    return tuple(sorted({*before.aliases, *map(canonical, added)} - gone - {canonical(before.identifier)}))


def _save(found: Deployment, before: Resource, after: Resource) -> None:
    detail = {
        "name": after.name,
        "token_format": after.token_format,
        "signing_algorithm": after.signing_algorithm,
        "aliases": list(after.aliases),
    }
    try:
        saved = found.stores.resources.exchange(before, after, Event("resource.edited", "system", detail=detail))
    except AlreadyRegistered:
        raise click.ClickException("one of these URIs means another server already; nothing was saved") from None
    if not saved:
        raise click.ClickException("somebody else changed this server in this moment; nothing was saved")


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


def _tools(given: dict[str, str]) -> tuple[Tool, ...]:
    found = []
    for name, text in given.items():
        needed, _, title = text.partition(" ")
        found.append(Tool(name, title or name, tuple(needed.split(","))))
    return tuple(found)
