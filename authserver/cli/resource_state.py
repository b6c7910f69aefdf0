"""``authserver resource …`` about one MCP server: what is known of it, its rest, and its end."""

import json
from typing import Any

import click

from ..protocol import own_api
from ..protocol.audit import Event
from ..protocol.resource import Resource
from ..protocol.tool import Tool
from ..services.deployment import Deployment
from ..store.grants import Whose
from ..store.resources import UnknownResource
from .deployment import with_deployment
from .endings import revoke_in_batches
from .plain import plain
from .resources import facts, registered, state_of
from .table import as_object, facts_of, table

SCOPE_HEADS = ("scope", "risk", "default", "contains", "in words")
TOLD_OF_TOOLS = ("name", "title", "description", "scopes", "word", "mark")
TOOL_HEADS = ("tool", "risk", "opened by", "state", "title")


@click.command("show")
@click.argument("identifier")
@as_object
@with_deployment
def show(found: Deployment, identifier: str, as_json: bool) -> None:
    """Show an MCP server: its addresses, scopes and tools."""
    one = registered(found, identifier)
    if as_json:
        click.echo(json.dumps({**facts(one), "tools": [_tool(one, tool) for tool in one.tools]}))
        return
    facts_of({
        "identifier": one.identifier,
        "name": one.name,
        "aliases": " ".join(one.aliases),
        "state": state_of(one),
    })  # fmt: skip
    _scopes(one)
    _tools(one)


@click.command("suspend")
@click.argument("identifier")
@with_deployment
def suspend(found: Deployment, identifier: str) -> None:
    """Let nobody get tokens for an MCP server until it is resumed. Grants stay."""
    _set_suspended(found, identifier, suspended=True)


@click.command("resume")
@click.argument("identifier")
@with_deployment
def resume(found: Deployment, identifier: str) -> None:
    """Let people and clients get tokens for a suspended MCP server again."""
    _set_suspended(found, identifier, suspended=False)


@click.command("remove")
@click.argument("identifier")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_deployment
def remove(found: Deployment, identifier: str, yes: bool) -> None:
    """Forget an MCP server: all grants for it end, and what clients may get there for themselves.

    Nobody gets tokens for it from the first batch on. It can be stopped: the same command goes on.
    """
    one = registered(found, identifier)
    _not_our_own(found, one)
    if not yes:
        click.confirm(f"End all that people allowed at {plain(one.name)} ({plain(identifier)})?", abort=True)
    if not one.suspended:
        found.stores.resources.set_suspended(identifier, True, Event("resource.suspended", "system"))
    revoke_in_batches(found, Whose(resource=identifier))
    try:
        found.stores.resources.remove(identifier, Event("resource.removed", "system"))
    except UnknownResource as gone:
        raise click.ClickException(str(gone)) from None
    click.echo(f"removed {plain(identifier)}")


def _set_suspended(found: Deployment, identifier: str, *, suspended: bool) -> None:
    one = registered(found, identifier)
    _not_our_own(found, one)
    if one.suspended == suspended:
        click.echo("nothing to do")
        return
    event = Event("resource.suspended" if suspended else "resource.resumed", "system")
    found.stores.resources.set_suspended(one.identifier, suspended, event)
    click.echo(f"{'suspended' if suspended else 'resumed'} {plain(one.name)}")


def _not_our_own(found: Deployment, one: Resource) -> None:
    if one.identifier == own_api.identifier(found.settings.issuer):
        raise click.ClickException("this is the API of administration itself, which 'authserver api enable' keeps")


def _tool(one: Resource, tool: Tool) -> dict[str, Any]:
    said = {name: getattr(tool, name) for name in TOLD_OF_TOOLS}
    limits = None if tool.policy.limits is None else json.loads(tool.policy.limits)
    return {**said, "risk": tool.worst(one.scopes), "limits": limits, "additional": tool.policy.additional}


def _scopes(one: Resource) -> None:
    click.echo()
    table(
        SCOPE_HEADS,
        [
            (scope.name, scope.risk, "yes" if scope.is_default else "", " ".join(scope.implies), scope.description)
            for scope in one.scopes
        ],
    )


def _tools(one: Resource) -> None:
    if one.tools:
        click.echo()
    table(
        TOOL_HEADS,
        [(tool.name, tool.worst(one.scopes), " ".join(tool.scopes), tool.mark, tool.title) for tool in one.tools],
    )
