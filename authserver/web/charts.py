"""Charts as figures that a template draws in SVG: bars over time, each with its words, and no script.

One bar for each hour or day; a bar may have two parts, one on the other. All lengths are in units of the drawing, whose
width is that of its bars, so that it fits any screen.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ..protocol.msg import Filled, listed, msg

HEIGHT = 40
STEP = 10  # from bar to bar
LEAST = 1.5  # the height of a bar that is not nothing
HOUR, DAY = 3600, 86_400
IN_HOURS, IN_DAYS = msg("{} in {} hours"), msg("{} in {} days")
AT_MOST = msg("{}, at most {} in one")
AND, BAR = "{}, {}", "{}: {}"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a bar: from ``top`` downwards by ``height``; ``kind`` chooses its colour."""

    kind: str
    top: float
    height: float


@dataclass(frozen=True, slots=True)
class Bar:
    """One moment: its place from the left, its parts, and what they stand for in words."""

    left: int
    parts: tuple[Part, ...]
    words: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars over some time; ``totals`` are their sums, each with its colour.

    ``peak`` is what the highest stands for, ``words`` say the whole in a sentence.
    """

    bars: tuple[Bar, ...]
    width: int
    peak: int
    totals: tuple[tuple[str, str], ...]
    first: str
    last: str
    words: str


@dataclass(frozen=True, slots=True)
class Line:
    """A row of figures: ``kind`` is its colour, ``one`` and ``name`` its words (``1 sign-in``, ``sign-ins``).

    It has a figure for each moment.
    """

    kind: str
    one: str
    name: str
    figures: Sequence[int]


def of_hours(last: int, lines: Sequence[Line]) -> Chart:
    """The chart of *lines*, whose last figure is of the hour *last* (numbered from the epoch, as are days)."""
    return _chart(lines, last, lambda hour: f"{datetime.fromtimestamp(hour * HOUR, UTC):%H:00}", IN_HOURS)


def of_days(last: int, lines: Sequence[Line]) -> Chart:
    """The same by days."""
    return _chart(lines, last, lambda day: f"{datetime.fromtimestamp(day * DAY, UTC):%Y-%m-%d}", IN_DAYS)


def _chart(lines: Sequence[Line], last: int, called: Callable[[int], str], whole: str) -> Chart:
    length = len(lines[0].figures)
    peak = max(sum(line.figures[index] for line in lines) for index in range(length))
    names = [called(last - length + 1 + index) for index in range(length)]
    bars = tuple(
        Bar(STEP * index, _parts(lines, index, peak), Filled(BAR, names[index], _words(lines, index)))
        for index in range(length)
    )
    totals = tuple((line.kind, _figure(sum(line.figures), line)) for line in lines)
    words = Filled(whole, listed(AND, [figure for _, figure in totals]), length)
    if peak:
        words = Filled(AT_MOST, words, f"{peak:,}")
    return Chart(bars, STEP * length, peak, totals, names[0], names[-1], words)


def _parts(lines: Sequence[Line], index: int, peak: int) -> tuple[Part, ...]:
    parts, top = [], float(HEIGHT)
    for line in lines:
        figure = line.figures[index]
        if figure:
            height = min(max(LEAST, HEIGHT * figure / peak), top)
            top = math.floor((top - height) * 100) / 100
            parts.append(Part(line.kind, top, round(height, 2)))
    return tuple(parts)


def _words(lines: Sequence[Line], index: int) -> str:
    return listed(AND, [_figure(line.figures[index], line) for line in lines])


def _figure(figure: int, line: Line) -> str:
    return Filled(line.one) if figure == 1 else Filled("{} {}", f"{figure:,}", Filled(line.name))
