"""Points in pairs: one contestant, then the other, for a few seconds each, again and again."""

from collections.abc import Iterator
from dataclasses import dataclass

from . import cpu
from .generator import send
from .measures import Bench, Measure

WARM_UP_SECONDS = 1
WARM_UP_CALLS = 10_000
SPARE = 4  # how much more material than the warm-up's rate would use up
LEAST_RATE = 5_000  # calls a second that there is material for: a warm-up can be slow


@dataclass(frozen=True, slots=True)
class Point:
    """One contestant under one measure: calls per second, latencies in microseconds.

    ``parts`` are CPU microseconds per call, of the server first and then of its database.
    """

    rate: float
    parts: tuple[float, ...]
    p50: int
    p99: int

    @property
    def cpu(self) -> float:
        """CPU microseconds per call in all."""
        return sum(self.parts)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two points, one right after the other."""

    ours: Point
    peer: Point

    @property
    def rate(self) -> float:
        """Our rate as a multiple of the peer's."""
        return self.ours.rate / self.peer.rate

    @property
    def cpu(self) -> float:
        """Our CPU time per call as a multiple of the peer's."""
        return self.ours.cpu / self.peer.cpu


def pairs(measure: Measure, ours: Bench, peer: Bench, *, count: int, seconds: int) -> Iterator[Pair]:
    """Measure *count* pairs of *seconds* for each point, after a warm-up; who begins alternates."""
    warm = [_point(measure, bench, WARM_UP_SECONDS, WARM_UP_CALLS) for bench in (ours, peer)]
    calls = [seconds * max(LEAST_RATE, int(point.rate * SPARE)) for point in warm]
    for number in range(count):
        points: list[Point] = []
        for which in (0, 1) if number % 2 == 0 else (1, 0):
            points.insert(which, _point(measure, (ours, peer)[which], seconds, calls[which]))
        yield Pair(*points)


def _point(measure: Measure, bench: Bench, seconds: int, calls: int) -> Point:
    load = measure.load(bench, calls)
    roots = bench.contestant.roots
    before = [cpu.seconds(root) for root in roots]
    counted = send(load, bench.contestant.origin, seconds)
    spent = [cpu.seconds(root) - start for root, start in zip(roots, before, strict=True)]
    parts = tuple(one * 1e6 / counted.calls for one in spent)
    return Point(counted.calls / counted.seconds, parts, counted.p50, counted.p99)
