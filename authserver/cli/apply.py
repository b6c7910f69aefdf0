"""``authserver apply``: bring about what a file says (CR-11, docs/preregistration.md)."""

import os
from pathlib import Path

import click

from ..services.deployment import Deployment
from ..services.desired_state.changes import ADD, CHANGE, REMOVE, Change, Overtaken
from ..services.desired_state.document import MOST_BYTES, Unreadable
from ..services.desired_state.plan import Planner
from .deployment import with_deployment
from .plain import plain

WOULD_CHANGE = 2
WORDS = {ADD: ("to add", "added"), CHANGE: ("to change", "changed"), REMOVE: ("to remove", "removed")}


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing; exit status 2 if anything.")
@click.option("--prune", is_flag=True, help="Remove the clients that 'apply' made and that are not in the file.")
@with_deployment
def apply(found: Deployment, file: Path, dry_run: bool, prune: bool) -> None:
    """Make MCP servers, clients, roles, groups and rules as FILE (YAML) says. Run again it says "nothing to do"."""
    planner = Planner(found.stores, found.settings.issuer, os.environ)
    with file.open("rb") as opened:
        text = opened.read(MOST_BYTES + 1)
    try:
        changes = planner.plan(text, prune=prune)
    except Unreadable as wrong:
        raise click.ClickException(f"{file}: nothing was changed\n{_lines(str(wrong))}") from None
    for change in changes:
        _show(change)
        if not dry_run:
            _make(change, found)
    click.echo(_summary(changes, dry_run=dry_run) if changes else "nothing to do")
    if changes and dry_run:
        click.get_current_context().exit(WOULD_CHANGE)


def _make(change: Change, found: Deployment) -> None:
    try:
        secret = change.make(found.stores)
    except Overtaken as other:
        told = f"{plain(str(other))}; what is above was done, this and the rest was not: run it again"
        raise click.ClickException(told) from None
    if secret:
        click.echo(f"    client_secret (shown this once): {secret}")


def _show(change: Change) -> None:
    click.echo(f"{change.mark} {plain(change.subject)}")
    if change.consequence:
        click.echo(f"    {change.consequence}")
    for difference in change.differences:
        member = plain(difference.member)
        for text in difference.gone:
            click.echo(f"    {member}: - {plain(text)}")
        for text in difference.new:
            click.echo(f"    {member}: + {plain(text)}")
        if not difference.gone and not difference.new:
            click.echo(f"    {member}: in another order" if member != "secret" else "    secret: forgotten")


def _summary(changes: tuple[Change, ...], *, dry_run: bool) -> str:
    counts = ((sum(change.mark == mark for change in changes), words) for mark, words in WORDS.items())
    return ", ".join(f"{count} {future if dry_run else past}" for count, (future, past) in counts)


def _lines(text: str) -> str:
    return "\n".join(f"  {plain(line)}" for line in text.splitlines())
