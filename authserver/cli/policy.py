"""``authserver policy``: rules on who gets what, through which client, and when (docs/policies.md)."""

import json
from pathlib import Path

import click

from ..protocol.audit import Event
from ..protocol.policy import difference, reading
from ..protocol.policy.words import sentence
from ..services.deployment import Deployment
from ..services.desired_state.document import MOST_BYTES, Unreadable
from ..services.policy import file
from ..services.policy.review import Reviewer
from ..store.policies import Overtaken
from .deployment import with_deployment
from .elsewhere import Elsewhere
from .plain import plain

WOULD_CHANGE = 2
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
ELSEWHERE = {
    "explain": "policy_explain.explain",
    "replay": "policy_explain.replay",
    "requests": "policy_requests.requests",
    "withdraw": "policy_requests.withdraw",
}


@click.group(commands=Elsewhere(ELSEWHERE))
def policy() -> None:
    """Rules on who gets what, through which client, and when."""


@policy.command("list")
@click.option("--yaml", "as_yaml", is_flag=True, help="As a file that 'apply' takes.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for machines.")
@with_deployment
def list_rules(found: Deployment, as_yaml: bool, as_json: bool) -> None:
    """Show the rules that count, in order: the first that fits decides, and where none does it is allowed."""
    current = found.stores.policies.current()
    if as_yaml:
        click.echo(file.write(current.version, current.rules), nl=False)
        return
    if as_json:
        click.echo(json.dumps({"version": current.version, "rules": reading.written(current.rules)}))
        return
    click.echo(f"version {current.version}" if current.rules else "there are no rules: everything is allowed")
    for place, rule in enumerate(current.rules, 1):
        click.echo(f"{place:3}  {plain(rule.name)}\n     {plain(sentence(rule))}")


@policy.command("apply")
@click.argument("path", metavar="FILE", type=FILE)
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing; exit status 2 if anything.")
@with_deployment
def apply(found: Deployment, path: Path, dry_run: bool) -> None:
    """Let the rules of FILE (YAML) count in place of all others, at once.

    A FILE that says from which version it was written is refused when another one was applied since.
    """
    wanted, current = read(path), found.stores.policies.current()
    if wanted.version is not None and wanted.version != current.version:
        raise click.ClickException(_overtaken(wanted.version, current.version))
    changes = tuple(difference.changes(current.rules, wanted.rules))
    for change in changes:
        for words in change.words:
            click.echo(plain(words))
    for doubt in Reviewer(found.stores).doubts(wanted.rules):
        click.echo(click.style("look again ", fg="yellow") + plain(doubt), err=True)
    if not changes:
        click.echo("nothing to do")
    elif dry_run:
        click.get_current_context().exit(WOULD_CHANGE)
    else:
        _apply(found, wanted, current.version)


def _apply(found: Deployment, wanted: file.PolicyFile, seen: int) -> None:
    try:
        version = found.stores.policies.apply(wanted.rules, seen, Event("policy.applied", "system"))
    except Overtaken as other:
        raise click.ClickException(_overtaken(seen, other.version)) from None
    count = len(wanted.rules)
    click.echo(f"version {version} counts: {count} rule{'' if count == 1 else 's'}")


def read(path: Path) -> file.PolicyFile:
    """The rules of the file at *path*, or a message with the lines of what is wrong."""
    with path.open("rb") as opened:
        text = opened.read(MOST_BYTES + 1)
    try:
        return file.read(text)
    except Unreadable as wrong:
        lines = "\n".join(f"  {plain(line)}" for line in str(wrong).splitlines())
        raise click.ClickException(f"{path}: nothing was changed\n{lines}") from None


def _overtaken(seen: int, version: int) -> str:
    return (
        f"nothing was changed: somebody applied version {version}, and this is written from {seen}. See what they did "
        "('authserver policy list --yaml'), and write it anew from that"
    )
