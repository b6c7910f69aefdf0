"""``authserver overview``: what needs attention, how much there is, and what happened by the hour and by the day."""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import click

from ..services.attention import Concern
from ..services.deployment import Deployment
from ..services.overview_words import SERIES, said
from ..store.overview import MOST
from ..store.overview import overview as counted
from ..store.tallies import Figures, Series, moments
from .deployment import with_deployment
from .plain import plain
from .table import as_object, table

CALLED = {"grants": "live grants", "clients": "clients", "users": "people", "resources": "MCP servers"}
SHOWN_DAYS = 7
SHOWN_HOURS = 6


@click.command("overview")
@as_object
@with_deployment
def overview(found: Deployment, as_json: bool) -> None:
    """Show what somebody should look at, the most pressing first, and the figures of the console's first page."""
    concerns, counts = found.attention.concerns(), asdict(counted(found.stores.database))
    (hour, hours), (day, days) = found.stores.tallies.hours(), found.stores.tallies.days()
    if as_json:
        told = {"attention": [{**asdict(each), "words": said(each)} for each in concerns], **counts}
        click.echo(json.dumps({**told, "hours": _told(hour, hours, days=False), "days": _told(day, days, days=True)}))
        return
    _tell(concerns)
    click.echo(", ".join(f"{CALLED[name]}: {number}{'+' if number == MOST else ''}" for name, number in counts.items()))
    for head, form, lines in (
        ("hour (UTC)", "%Y-%m-%d %H:00", _told(hour, hours, days=False)[:SHOWN_HOURS]),
        ("day (UTC)", "%Y-%m-%d", _told(day, days, days=True)[:SHOWN_DAYS]),
    ):
        click.echo()
        table((head, *SERIES.values()), _rows(lines, form))


def _tell(concerns: tuple[Concern, ...]) -> None:
    for concern in concerns:
        click.echo(f"{click.style('look at', fg='yellow')}  {plain(said(concern))}")
    if not concerns:
        click.echo("nothing waits")


def _told(last: int, figures: Figures, *, days: bool) -> list[dict[str, Any]]:
    """The figures by their beginnings in Unix seconds, newest first."""
    newest_first = {str(series): tuple(reversed(figures[series])) for series in Series}
    beginnings = moments(last, len(figures[Series.TOKENS]), days=days)
    return [
        {"from": at, **{name: numbers[index] for name, numbers in newest_first.items()}}
        for index, at in enumerate(beginnings)
    ]


def _rows(lines: list[dict[str, Any]], form: str) -> Iterator[tuple[str, ...]]:
    for line in lines:
        at, *numbers = line.values()
        yield (time.strftime(form, time.gmtime(at)), *map(str, numbers))
