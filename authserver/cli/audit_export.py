"""``authserver audit export``: the sealed trail as text."""

from collections.abc import Callable
from datetime import UTC, datetime

import click

from ..protocol.audit_seal import START, Recorded
from ..services.deployment import Deployment
from ..services.trail.formats import csv_head, csv_line, json_line, plain_json
from ..services.trail.ocsf import ocsf
from .deployment import without_secrets

MOMENT = click.DateTime(("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S%z"))


@click.command("export")
@click.option("--since", type=MOMENT, help="Only what happened then or later; UTC if it names no zone.")
@click.option("--until", type=MOMENT, help="Only what happened before.")
@click.option(
    "--format", "form", type=click.Choice(("jsonl", "ocsf", "csv")), default="jsonl", show_default=True,
    help="JSON lines of our own, JSON lines of OCSF 1.3, or CSV.",
)  # fmt: skip
@without_secrets
def export(found: Deployment, since: datetime | None, until: datetime | None, form: str) -> None:
    """Write what is sealed to the standard output, a line for each event, in the order of the seals."""
    head = found.stores.seals.head()
    if form == "csv":
        click.echo(csv_head())
    if head is None:
        return
    line = _writer(form, found.settings.issuer)
    for recorded in found.stores.trail.between(START, head.last, _milliseconds(since), _milliseconds(until)):
        click.echo(line(recorded))


def _writer(form: str, issuer: str) -> Callable[[Recorded], str]:
    return {
        "jsonl": json_line,
        "ocsf": lambda recorded: plain_json(ocsf(recorded, issuer)),
        "csv": csv_line,
    }[form]


def _milliseconds(moment: datetime | None) -> int | None:
    if moment is None:
        return None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
