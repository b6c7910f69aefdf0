"""``authserver audit``: prove that the trail is whole, and take it elsewhere."""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any

import click

from ..keys.keyring import NoSigningKey
from ..protocol.audit import Event
from ..services.alerts.state_rules import broken
from ..services.deployment import Deployment
from ..services.trail.verification import Finding, Noted, Summary, Verification
from ..store.seals import TrailMoved
from .deployment import with_deployment
from .elsewhere import Elsewhere
from .plain import plain

MOST_FINDINGS = 1000
NOTED = re.compile(r"([1-9][0-9]{0,17}):([A-Za-z0-9_-]{43})")
ELSEWHERE = {
    "list": "audit_list.list_events",
    "export": "audit_export.export",
}


@click.group(commands=Elsewhere(ELSEWHERE))
def audit() -> None:
    """The audit trail: verify and export it (docs/audit.md)."""


@audit.command("verify")
@click.option("--noted", metavar="NUMBER:DIGEST", help="A seal that was noted before: it has to be there unchanged.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for machines.")
@with_deployment
def verify(found: Deployment, noted: str | None, as_json: bool) -> None:
    """Hold every event against the seals. Exit status 1 if anything was changed, removed, added or reordered."""
    stores = found.stores
    walk = Verification(stores.seals, stores.trail, stores.streams, found.keyring, _noted(noted))
    findings = walk.findings()
    first = next(findings, None)
    findings = findings if first is None else chain([first], findings)
    wrong = _as_json(findings, walk.summary) if as_json else _as_lines(findings, walk.summary)
    if first is not None:
        found.watch.raise_new([broken(first.seal, str(first.kind))])
    click.get_current_context().exit(1 if wrong else 0)


@audit.command("seal")
@with_deployment
def seal(found: Deployment) -> None:
    """Seal now what is finished, as the running server does every second."""
    try:
        click.echo(f"sealed {found.sealer.seal()} events")
    except (NoSigningKey, TrailMoved) as lacking:
        raise click.ClickException(str(lacking)) from None


@audit.command("resume")
@with_deployment
def resume(found: Deployment) -> None:
    """Once after a dump was restored, before the server starts: let the trail go on behind its last event."""
    moved = found.stores.seals.resume(Event("audit.resumed", "system"))
    click.echo("the trail goes on behind its last event" if moved else "nothing to do")


def _noted(text: str | None) -> Noted | None:
    if text is None:
        return None
    known = NOTED.fullmatch(text)
    if not known:
        raise click.BadParameter("a seal's number and digest as 'verify' shows them", param_hint="--noted")
    return Noted(int(known[1]), known[2])


def _as_lines(findings: Iterator[Finding], summary: Summary) -> bool:
    wrong = 0
    for finding in findings:
        wrong += 1
        mark = click.style("WRONG", fg="red", bold=True)
        click.echo(f"{mark}     seal {finding.seal:<8} {finding.kind}: {plain(finding.what)}")
    for name, words in _lines(summary):
        click.echo(f"{name:9} {words}")
    click.echo(f"{wrong} found wrong" if wrong else "the trail is whole")
    return bool(wrong)


def _lines(summary: Summary) -> Iterator[tuple[str, str]]:
    span = f", {_time(summary.from_ms)} to {_time(summary.to_ms)}" if summary.to_ms is not None else ""
    yield "checked", f"{summary.events} events under {summary.seals - summary.dropped_seals} seals{span}"
    if summary.dropped_seals:
        until = _time(summary.dropped_to_ms)
        yield "dropped", f"{summary.dropped_events} events under {summary.dropped_seals} seals, until {until}"
    since = f" since {_time(summary.tail.since_ms)}" if summary.tail.rows else ""
    yield "unsealed", f"{summary.tail.rows} events{since}"
    if summary.head:
        yield "newest", f"seal {summary.head.number}:{summary.head.digest}"


def _as_json(findings: Iterator[Finding], summary: Summary) -> bool:
    first = list(islice(findings, MOST_FINDINGS))
    more = sum(1 for _ in findings)
    told: dict[str, Any] = {"whole": not first, **asdict(summary), "findings": [asdict(each) for each in first]}
    click.echo(json.dumps({**told, "further_findings": more}, indent=2))
    return bool(first)


def _time(milliseconds: int | None) -> str:
    return datetime.fromtimestamp((milliseconds or 0) / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
