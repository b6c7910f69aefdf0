"""``authserver policy explain`` and ``replay``: what rules decide, and what others would have decided."""

import json
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from ..protocol.policy.request import FACTORS, NO_FACTOR
from ..protocol.policy.words import sentence
from ..services.deployment import Deployment
from ..services.policy.explanation import Explanation, Question, Simulator, Unknown
from ..services.policy.replay import DAY_MS, Replay, Replayed
from .deployment import with_deployment
from .plain import plain
from .policy import FILE, read

FACTOR = click.Choice([NO_FACTOR, *FACTORS.values()])
MOMENT = click.DateTime(["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"])


@click.command("explain")
@click.option("--user", help="The person's user name; without it the client asks for itself.")
@click.option("--client", "client_id", required=True, help="The client's id.")
@click.option("--server", required=True, help="The MCP server's identifier.")
@click.option("--tool", help="One of its tools.")
@click.option("--scope", help="One of its scopes.")
@click.option("--at", type=MOMENT, help="When, in UTC; now if left out.")
@click.option("--from", "address", default="", help="From which address.")
@click.option("--factor", type=FACTOR, default=NO_FACTOR, help="Signed in with which second factor.")
@click.option("--rules", "path", type=FILE, help="By the rules of this file instead of those that count.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for machines.")
@with_deployment
def explain(found: Deployment, /, path: Path | None, as_json: bool, **asked: Any) -> None:  # noqa: ANN401 - the options
    """May this person use that tool through that client? Say by which rule, and why not by the others."""
    policy = found.stores.policies.with_people(0, read(path).rules) if path else None
    try:
        explained = Simulator(found.stores, found.policies).explain(_question(**asked), policy)
    except Unknown as unknown:
        raise click.ClickException(plain(str(unknown))) from None
    if as_json:
        click.echo(json.dumps(told(explained), indent=2))
    else:
        _show(explained)


def _question(user: str | None, scope: str | None, at: datetime | None, **rest: Any) -> Question:  # noqa: ANN401
    moment = int(at.replace(tzinfo=UTC).timestamp()) if at else int(time.time())
    return Question(username=user, scope=None if rest["tool"] else scope, at=moment, **rest)


def told(explained: Explanation) -> dict[str, object]:
    """An explanation for machines."""
    return {
        "effect": str(explained.effect),
        "answer": explained.answer,
        "version": explained.version,
        "items": [
            {"item": line.item.key, "effect": str(line.out.effect) if line.out else "allow", "rule": line.rule_name}
            for line in explained.lines
        ],
        "considered": [{"rule": one.rule.name, "fits": one.fits, "why": one.why} for one in explained.considered],
        "notes": list(explained.notes),
    }


def _show(explained: Explanation) -> None:
    click.echo(plain(explained.answer))
    for note in explained.notes:
        click.echo(f"  note: {plain(note)}")
    if explained.item is None:
        for line in explained.lines:
            state = f"{line.out.effect}, by {line.rule_name!r}" if line.out else "left"
            click.echo(f"  {plain(line.item.key):40} {plain(state)}")
    for place, one in enumerate(explained.considered, 1):
        mark = click.style("decides", bold=True) if one.fits else "no     "
        click.echo(
            f"{place:3}  {mark}  {plain(one.rule.name)}: {plain(one.why)}\n              {plain(sentence(one.rule))}"
        )


@click.command("replay")
@click.argument("path", metavar="FILE", type=FILE)
@click.option("--days", type=click.IntRange(1, 365), default=7, show_default=True, help="How far back.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for machines.")
@with_deployment
def replay(found: Deployment, path: Path, days: int, as_json: bool) -> None:
    """Hold the rules of FILE against the grants and tokens of the last days, and show what changes."""
    policies = found.stores.policies
    before, after = policies.current(), policies.with_people(0, read(path).rules)
    since = int(time.time() * 1000) - days * DAY_MS
    result = Replay(found.stores, found.policies, before, after).run(since)
    if as_json:
        lines = [asdict(line) for line in result.lines]
        click.echo(json.dumps({"events": result.events, "cut": result.cut, "otherwise": lines}, indent=2))
    else:
        _table(result)


def _table(result: Replayed) -> None:
    for line in result.lines:
        who = line.username or "(the client for itself)"
        click.echo(f"{line.times:6} x  {line.name:16} {plain(who)}  {plain(line.client_id)}  {plain(line.resource)}")
        for mark, entries in (("-", line.lost), ("+", line.won)):
            for entry in entries:
                click.echo(f"            {mark} {plain(entry)}")
        if line.refused:
            click.echo("            refused: nothing is left")
    times = sum(line.times for line in result.lines)
    click.echo(f"{times} of {result.events} would be decided otherwise")
    if result.cut:
        click.echo("older events were left out: there were too many")
