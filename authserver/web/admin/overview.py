"""The console's first page: what needs attention, how much there is and happens, and what happened last."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import render_template
from flask.typing import ResponseReturnValue

from ...protocol.msg import msg
from ...protocol.role import Permission
from ...services.overview_words import ONE_OF, SERIES
from ...store.audit import AuditFilter
from ...store.overview import MOST, overview
from ...store.tallies import DAYS, HOURS, Figures, Series, moments
from .. import charts
from ..charts import Chart, Line
from ..deployment import deployment
from . import blueprint
from .access import needs
from .attention import notices

NEWEST = 8
DRAWN = {
    msg("Sign-ins"): (Series.SIGN_INS, Series.FAILURES),
    msg("Tokens issued"): (Series.TOKENS,),
    msg("New clients"): (Series.CLIENTS,),
    msg("Tool calls"): (Series.CALLS,),
}
MINUTES = 60


@dataclass(frozen=True, slots=True)
class Panel:
    """What is drawn of one subject: by hour and by day."""

    title: str
    hours: Chart
    days: Chart


@dataclass(frozen=True, slots=True)
class Table:
    """The same figures as a table, newest first: beginnings in Unix seconds, and a figure for each series.

    ``characters`` of the written moment are enough to tell one from another.
    """

    name: str
    characters: int
    lines: list[tuple[int, list[int]]]


@blueprint.get("")
@needs(Permission.OVERVIEW_READ)
def start() -> ResponseReturnValue:
    """What needs attention, counts, charts, and the newest alerts and events."""
    stores = deployment().stores
    hour, hours = stores.tallies.hours()
    day, days = stores.tallies.days()
    return render_template(
        "admin/overview.html",
        notices=notices(),
        counts=overview(stores.database),
        most=MOST,
        per_minute=hours[Series.TOKENS][-2] / MINUTES,
        panels=[_panel(title, series, (hour, hours), (day, days)) for title, series in DRAWN.items()],
        figures=[_table(msg("Figures by hour"), hour, hours, HOURS), _table(msg("Figures by day"), day, days, DAYS)],
        columns=[SERIES[series] for series in Series],
        events=stores.audit.page(AuditFilter(), None, NEWEST),
        alerts=stores.alerts.standing(None, NEWEST),
    )


def _panel(title: str, series: Sequence[Series], hours: tuple[int, Figures], days: tuple[int, Figures]) -> Panel:
    return Panel(
        title, charts.of_hours(hours[0], _lines(series, hours[1])), charts.of_days(days[0], _lines(series, days[1]))
    )


def _lines(series: Sequence[Series], figures: Figures) -> list[Line]:
    return [Line(one, ONE_OF[one], SERIES[one], figures[one]) for one in series]


def _table(name: str, last: int, figures: Figures, length: int) -> Table:
    beginnings = moments(last, length, days=length == DAYS)
    backwards = [tuple(reversed(figures[series])) for series in Series]
    return Table(
        name,
        16 if length == HOURS else 10,
        [(at, [each[index] for each in backwards]) for index, at in enumerate(beginnings)],
    )
