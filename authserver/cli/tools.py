"""``authserver resource sync|diff|agree|tool``: the tools of an MCP server (docs/tools.md)."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import click

from ..outbound.refusal import FetchRefused
from ..protocol import catalogue
from ..protocol.audit import Event
from ..protocol.resource import Resource, Source
from ..protocol.scope import Risk
from ..protocol.tool import Mark, Tool, Word
from ..protocol.tool_list import MOST_BYTES, Listed, NotTools, whole
from ..services.deployment import Deployment
from ..services.tool_catalogue.drift import Drift, Kind
from ..services.tool_catalogue.plan import NothingWaits, Plan, told
from ..services.tool_catalogue.plan import agree as agreed_to
from ..services.tool_catalogue.plan import plan as plan_of
from .deployment import with_deployment
from .plain import plain
from .resources import registered

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
SIGNS = {Kind.ADDED: "+", Kind.RETURNED: "+", Kind.REMOVED: "-", Kind.CHANGED: "~", Kind.HEARD: "~"}
WAITING = (Mark.NEW, Mark.CHANGED)


@click.command()
@click.argument("identifier")
@click.option("--from", "file", type=FILE, help="The JSON of a tools/list result, instead of asking the server.")
@click.option("--yes", is_flag=True, help="Save what is shown; what would widen a scope waits for 'resource agree'.")
@click.option("--agree", is_flag=True, help="Save it, and agree to all of it.")
@click.option("--prune", is_flag=True, help="Forget the tools that the server does not list any more.")
@with_deployment
def sync(found: Deployment, identifier: str, file: Path | None, yes: bool, agree: bool, prune: bool) -> None:
    """Ask the MCP server IDENTIFIER for its tools, and show what that changes here. Saved with --yes or --agree."""
    resource = registered(found, identifier)
    plan = plan_of(resource, _listed(found, resource, file), agreed=agree, prune=prune)
    _show(plan)
    if plan.after == plan.before:
        click.echo("nothing to do")
    elif yes or agree:
        event = "resource.tools_agreed" if agree else "resource.tools_synced"
        heard = Source.FILE if file else Source.SERVER
        _save(found, plan.before, plan.after, Event(event, "system", detail=plan.detail), heard)
        click.echo("saved")
    else:
        click.echo("nothing was saved: --yes saves it, --agree agrees to it too")


@click.command()
@click.argument("identifier")
@click.option("--from", "file", type=FILE, help="The JSON of a tools/list result, instead of asking the server.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for machines.")
@with_deployment
def diff(found: Deployment, identifier: str, file: Path | None, as_json: bool) -> None:
    """Show how the tools of the MCP server IDENTIFIER differ from what is saved here. Exit status 1 if they do."""
    resource = registered(found, identifier)
    plan = plan_of(resource, _listed(found, resource, file))
    if as_json:
        drift = [asdict(one) for one in plan.drifts]
        click.echo(json.dumps({"resource": identifier, "drift": drift, "warnings": plan.warnings}, indent=2))
    else:
        _show(plan)
        click.echo(f"{len(plan.drifts)} differ" if plan.drifts else "no difference")
    click.get_current_context().exit(1 if plan.drifts else 0)


@click.command()
@click.argument("identifier")
@click.argument("names", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All tools that wait.")
@with_deployment
def agree(found: Deployment, identifier: str, names: tuple[str, ...], everything: bool) -> None:
    """Agree to tools of the MCP server IDENTIFIER that are new, or that it describes in another way."""
    if bool(names) == everything:
        raise click.UsageError("name tools, or say --all")
    resource = registered(found, identifier)
    wanted = names or tuple(tool.name for tool in resource.tools if tool.mark in WAITING)
    try:
        after = agreed_to(resource, wanted)
    except NothingWaits as wrong:
        raise click.ClickException(f"{plain(str(wrong))} is no tool that waits to be agreed to") from None
    if wanted:
        _save(found, resource, after, Event("resource.tools_agreed", "system", detail=told(wanted)))
    for one in after.tools:
        if one.name in wanted:
            click.echo(
                plain(f"  {one.name}: {one.title} – {one.worst(after.scopes)}, opened by {' '.join(one.scopes)}")
            )
    click.echo(f"agreed to {len(wanted)}")


@click.command()
@click.argument("identifier")
@click.argument("name")
@click.option("--title", help="What people read.")
@click.option("--description", help="What it does, in words.")
@click.option("--risk", type=click.Choice([risk.value for risk in Risk]), help="What it does at worst.")
@click.option("--scope", "scopes", multiple=True, help="A scope that it needs; all that are named. Repeatable.")
@with_deployment
def tool(
    found: Deployment,
    identifier: str,
    name: str,
    title: str | None,
    description: str | None,
    risk: str | None,
    scopes: tuple[str, ...],
) -> None:
    """Say what tool NAME of the MCP server IDENTIFIER is. It stands over what the server says, now and later.

    What waits to be agreed to goes on waiting.
    """
    resource = registered(found, identifier)
    known = {one.name: one for one in resource.tools}
    before = known.get(name) or Tool(name, name, ())
    said = replace(
        before,
        title=before.title if title is None else title,
        description=before.description if description is None else description,
        risk=Risk(risk) if risk else before.risk,
        scopes=scopes or before.scopes,
        word=Word.ADMINISTRATOR,
    )
    after = replace(resource, tools=tuple({**known, name: said}.values()))
    if flaws := [str(flaw) for flaw in catalogue.flaws(after, found.settings.issuer)]:
        raise click.ClickException(plain("; ".join(flaws)))
    _save(found, resource, after, Event("resource.tool_described", "system", detail={"tool": name}))
    click.echo(f"{plain(name)}: {said.worst(after.scopes)}, opened by {' '.join(said.scopes)}")


def _listed(found: Deployment, resource: Resource, file: Path | None) -> Listed:
    try:
        return _in_file(file) if file else found.inquiry.tools_of(resource)
    except (FetchRefused, NotTools) as wrong:
        raise click.ClickException(plain(f"{file or resource.identifier}: {wrong}")) from None


def _in_file(file: Path) -> Listed:
    with file.open("rb") as opened:
        text = opened.read(MOST_BYTES + 1)
    if len(text) > MOST_BYTES:
        raise NotTools(f"larger than {MOST_BYTES} bytes")
    return whole(text)


def _save(found: Deployment, before: Resource, after: Resource, event: Event, heard: Source | None = None) -> None:
    if not found.stores.resources.exchange(before, after, event, heard=heard):
        raise click.ClickException("somebody else changed this server in this moment; nothing was saved")


def _show(plan: Plan) -> None:
    tools = {one.name: one for one in plan.after.tools}
    for scope in plan.new_scopes:
        click.echo(f"+ scope {scope.name} ({scope.risk}): {plain(scope.description)}")
    for drift in plan.drifts:
        _show_drift(drift, tools.get(drift.name))
    for warning in plan.warnings:
        click.echo(f"! {plain(warning)}")


def _show_drift(drift: Drift, after: Tool | None) -> None:
    what = ", ".join(drift.members) or drift.kind
    click.echo(plain(f"{SIGNS[drift.kind]} {drift.name}: {what}"))
    if after is None or drift.now is None:
        return
    waits = "; waits to be agreed to" if after.mark in WAITING else ""
    risk = f"{after.risk}, " if after.risk else ""
    click.echo(plain(f"    {after.title} – {risk}opened by {' '.join(after.scopes)}, {after.word}'s word{waits}"))
    if drift.was and drift.was.description != drift.now.description:
        click.echo(plain(f"    - {drift.was.description}"))
    if drift.now.description:
        click.echo(plain(f"    + {drift.now.description}"))
