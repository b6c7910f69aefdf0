"""How long calls take when the server has room to spare: at 70 % of the rate that it reaches at most.

At the top rate a call waits for those before it, and its latency tells how many there were. Operators keep a reserve,
so what counts is how late the latest are then. Callers rest at random between two calls, for so long that all together
make the wanted rate; but none begins a call before its last is answered, so a stall is felt once by each.

Calls that come at random wait for each other even where each takes as long as the other, and two cores are the
database's and the generator's, too. So the floor (`floor`) is loaded in turn, to 70 % of what it reaches itself.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress

from .contestant import BenchError
from .generator import CONNECTIONS, Counted, Load, send
from .measures import MEASURES, Bench, Measure
from .peers import and_floor
from .report import AtEase, Eased

CALLS = ("client", "refresh", "introspection")  # none of which uses material up
SHARE = 0.7
TOLERATED = 0.05  # that the share may be off
TRIES = 6


class Restless(Exception):
    """The machine went from fast to slow or back in a round."""


def eased(rounds: int, seconds: int) -> list[Eased]:
    """Measure each call *rounds* times, for *seconds* at the top and as long at `SHARE` of that, ours and the floor."""
    with and_floor() as both:
        return list(_all_eased(both, rounds, seconds))


def _all_eased(both: tuple[Bench, Bench], rounds: int, seconds: int) -> Iterator[Eased]:
    for measure in MEASURES:
        if measure.name in CALLS:
            try:
                yield _eased(measure, [_runs(bench, measure.load, seconds) for bench in both], rounds)
            except BenchError as wrong:  # the others are as good without it
                print(f"the latency of {measure.title} is thrown away: {wrong}", file=sys.stderr)


def _runs(bench: Bench, load: Callable[[Bench, int], Load], seconds: int) -> Callable[[float], Counted]:
    return lambda pause: send(load(bench, 0), bench.contestant.origin, seconds, pause)


def _eased(measure: Measure, runs: list[Callable[[float], Counted]], rounds: int) -> Eased:
    for run in runs:
        run(0.0)  # to warm up
    found: list[list[AtEase]] = []
    for _ in range(2 * rounds):  # a round of a restless minute is made anew
        with suppress(Restless):
            found.append([_at_ease(run) for run in runs])
        if len(found) == rounds:
            ours, floor = zip(*found, strict=True)
            return Eased(measure.title, ours, floor)
    raise BenchError(f"only {len(found)} of {2 * rounds} rounds came to {SHARE} of the top rate")


def _at_ease(run: Callable[[float], Counted]) -> AtEase:
    """A run at the wanted share of what comes at the top.

    Raises `Restless` if none comes close enough.
    """
    top = run(0.0)
    wanted = SHARE * _rate(top)
    pause = 0.5 * CONNECTIONS / wanted
    for _ in range(TRIES):
        found = run(pause)
        if abs(_rate(found) / wanted - 1) <= TOLERATED:
            return AtEase(_rate(top), _rate(found), found.p50, found.p99)
        pause = max(0.0, pause + CONNECTIONS / wanted - CONNECTIONS / _rate(found))
    raise Restless


def _rate(counted: Counted) -> float:
    return counted.calls / counted.seconds
