"""``authserver trace``: what became of attempts to connect."""

import json
import time
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import click

from ..protocol.trace.step import Verdict
from ..protocol.trace.words import words_of
from ..services.deployment import Deployment
from ..services.traces.timeline import Line, Timeline
from ..store.traces import Trace, TraceFilter
from .deployment import with_deployment
from .plain import plain
from .table import as_objects, show

COLOURS = {Verdict.OK: "green", Verdict.WAITS: "yellow", Verdict.FAILED: "red"}
HEADS = ("last seen", "id", "verdict", "step", "client", "what happened")
INDENT = " " * 29
NONE = "it may be mistyped, older than 7 days, a few seconds too new, or of a page that is no attempt: see the log then"


class ByReference(click.Group):
    """A group of which ``trace ID`` means ``trace show ID``."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that *args* begin with; what is none is an id to be shown."""
        known = args[0] in self.commands or args[0].startswith("-")
        return super().resolve_command(ctx, args if known else ["show", *args])


@click.group(cls=ByReference, subcommand_metavar="ID | COMMAND [ARGS]...")
def trace() -> None:
    """What became of an attempt to connect, by the reference on its error page. Kept for 7 days."""


@trace.command("show")
@click.argument("reference", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for machines.")
@with_deployment
def show_trace(found: Deployment, reference: str, as_json: bool) -> None:
    """Tell the attempt ID step by step. ID is a page's reference, or the X-Correlation-Id of an answer."""
    timeline = found.timelines.find(reference)
    if timeline is None:
        raise click.ClickException(f"there is no attempt {plain(reference)!r}: {NONE}")
    if as_json:
        click.echo(json.dumps(_object(timeline), indent=2))
        return
    for text in (*_head(timeline), "", *_told(timeline.lines)):
        click.echo(text)


@trace.command("list")
@click.option("--client", help="Only those of this client id.")
@click.option("--person", help="Only those of this user name.")
@click.option("--all", "every", is_flag=True, help="Those too that did not fail.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many, newest first.")
@as_objects
@with_deployment
def list_traces(
    found: Deployment, client: str | None, person: str | None, every: bool, limit: int, as_json: bool
) -> None:
    """Show attempts that failed, newest first."""
    wanted = TraceFilter(failed=not every, client_id=client, user_id=_user_id(found, person))
    shown = show(found.stores.traces.page(wanted, None, limit), HEADS, _row, asdict, as_json=as_json)
    if not shown and not as_json:
        click.echo("there is none")


def _user_id(found: Deployment, person: str | None) -> str | None:
    if person is None:
        return None
    user = found.stores.users.by_name(person)
    if user is None:
        raise click.ClickException(f"there is nobody called {plain(person)!r}")
    return user.id


def _row(line: Trace) -> tuple[str, ...]:
    happened = words_of(line.cause).happened
    return _moment(line.last_ms), line.id, line.verdict, line.step, line.client_id or "-", happened


def _head(timeline: Timeline) -> Iterable[str]:
    one = timeline.trace
    yield f"attempt {one.id}, {timeline.end.verdict}"
    facts = {
        "client": " ".join(filter(None, (timeline.client_name, one.client_id and f"({one.client_id})"))),
        "person": " ".join(filter(None, (timeline.username, one.user_id and f"({one.user_id})"))),
        "server": one.resource or "",
        "from": one.address,
        "browser or app": one.agent,
    }
    for name, value in facts.items():
        if value:
            yield f"{name}: {plain(value)}"


def _told(lines: Iterable[Line]) -> Iterable[str]:
    for line in lines:
        mark = click.style(f"{line.words.verdict:6}", fg=COLOURS[line.words.verdict])
        often = f" ({line.times} times, last at {_moment(line.last_ms)})" if line.times > 1 else ""
        probably = "Probably: " if line.probably else ""
        yield f"{_moment(line.first_ms)}  {mark}  {line.step:13}  {probably}{line.words.happened}{often}"
        yield from (f"{INDENT}{name}: {plain(value)}" for name, value in line.about.items() if value)
        if line.words.remedy:
            yield f"{INDENT}What helps: {line.words.remedy}"


def _object(timeline: Timeline) -> dict[str, Any]:
    steps = [
        {**asdict(line), "words": None, "verdict": line.words.verdict, "happened": line.words.happened,
         "remedy": line.words.remedy}
        for line in timeline.lines
    ]  # fmt: skip
    for step in steps:
        del step["words"]
    return {
        **asdict(timeline.trace),
        "client_name": timeline.client_name,
        "username": timeline.username,
        "steps": steps,
    }


def _moment(milliseconds: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(milliseconds / 1000))
