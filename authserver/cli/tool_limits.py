"""``authserver resource limit``: what anybody may call a tool with, whatever people allow (docs/limits.md)."""

from dataclasses import replace

import click

from ..protocol import strict_json
from ..protocol.audit import Event
from ..protocol.way import ANY_WAY, Way
from ..services.deployment import Deployment
from .deployment import with_deployment
from .plain import plain


@click.command("limit")
@click.argument("identifier")
@click.argument("name")
@click.argument("limits", required=False)
@click.option("--additional", is_flag=True, help="Arguments without a rule are let through.")
@click.option("--none", "no_limits", is_flag=True, help="Any arguments, as before there were limits.")
@with_deployment
def limit(found: Deployment, identifier: str, name: str, limits: str | None, additional: bool, no_limits: bool) -> None:
    """Let tool NAME of the MCP server IDENTIFIER be called only as LIMITS say: JSON, rules by argument.

    For example '{"/path": {"under": ["/work"]}}'; '{}' for no arguments at all. People can narrow it further.
    """
    if (limits is None) is not no_limits:
        raise click.UsageError("give LIMITS, or --none")
    before = found.stores.resources.find(identifier)
    if before is None or name not in {tool.name for tool in before.tools}:
        raise click.ClickException(f"{plain(identifier)} has no tool {plain(name)}: 'authserver resource list'")
    policy = ANY_WAY if limits is None else _policy(limits, additional=additional)
    tools = tuple(replace(tool, policy=policy) if tool.name == name else tool for tool in before.tools)
    event = Event("resource.tool_limited", "system", detail={"tool": name, "limits": policy.limits})
    if not found.stores.resources.exchange(before, replace(before, tools=tools), event):
        raise click.ClickException("somebody else changed this server in this moment; nothing was saved")
    click.echo(f"{plain(name)}: {'any arguments' if policy.limits is None else plain(policy.limits)}")


def _policy(limits: str, *, additional: bool) -> Way:
    try:
        return Way.limited(strict_json.loads(limits.encode()), additional=additional)
    except ValueError as wrong:
        raise click.BadParameter(str(wrong), param_hint="LIMITS") from None
