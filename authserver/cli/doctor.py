"""``authserver doctor``: look at a deployment from outside (DI-8). Needs no settings and no database."""

import json
import ssl
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from urllib.parse import urlsplit

import click

from ..outbound.deadline import Deadline
from ..outbound.fetch import trusting
from ..outbound.probe import Probe
from ..protocol.registry.recordings import names
from ..services.doctor.dance import dance
from ..services.doctor.examination import examine
from ..services.doctor.outcome import Outcome, State

MOST_SECONDS = 120.0
COLOURS = {State.OK: "green", State.WARN: "yellow", State.FAIL: "red"}


@click.command()
@click.argument("url")
@click.option("--ca-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="PEM: trust these too.")
@click.option("--client", "name", help="Play this client's way to the sign-in page instead: cursor, claude-code, …")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for machines.")
def doctor(url: str, ca_file: Path | None, name: str | None, as_json: bool) -> None:
    """Look at URL, an issuer or an MCP server, as clients do: what is wrong, and what to do. Exit status 1 if anything.

    Nothing is created there; with --client one client, which is removed again. No redirect leads it elsewhere.
    """
    _check(url)
    probe = Probe(_trust(ca_file), Deadline(MOST_SECONDS))
    if name is not None and name not in names():
        raise click.BadParameter(f"one of: {', '.join(names())}", param_hint="--client")
    outcomes = examine(url, probe) if name is None else dance(name, url, probe)
    bad = _as_json(url, outcomes) if as_json else _as_lines(outcomes)
    click.get_current_context().exit(1 if bad else 0)


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    readable = url.isascii() and url.isprintable() and " " not in url
    if not readable or parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise click.BadParameter("an http or https URL, such as https://auth.example.com", param_hint="URL")
    if parts.query or parts.fragment:
        raise click.BadParameter("neither an issuer nor an MCP server has a query or a fragment", param_hint="URL")


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return trusting(str(ca_file) if ca_file else "")
    except (OSError, ValueError):
        raise click.BadParameter("has no certificates in it (PEM)", param_hint="--ca-file") from None


def _as_lines(outcomes: Iterable[Outcome]) -> bool:
    counts = dict.fromkeys(State, 0)
    for outcome in outcomes:
        counts[outcome.state] += 1
        mark = click.style(f"{outcome.state:4}", fg=COLOURS[outcome.state], bold=outcome.state is State.FAIL)
        click.echo(f"{mark}  {outcome.check:20}  {outcome.what}")
        for text in filter(None, (outcome.why, outcome.remedy)):
            click.echo(f"{'':28}{text}")
    click.echo(f"{counts[State.OK]} good, {counts[State.WARN]} to look at, {counts[State.FAIL]} wrong")
    return bool(counts[State.FAIL])


def _as_json(url: str, outcomes: Iterable[Outcome]) -> bool:
    found = list(outcomes)
    bad = any(outcome.state is State.FAIL for outcome in found)
    click.echo(
        json.dumps({"url": url, "healthy": not bad, "outcomes": [asdict(outcome) for outcome in found]}, indent=2)
    )
    return bad
