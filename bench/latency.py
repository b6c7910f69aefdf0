"""How long calls take when the server has room to spare: at 70 % of the rate that it reaches at most.

At the top rate a call waits for those before it, and its latency tells how many there were. Operators keep a reserve,
so what counts is how late the latest are then. Callers rest at random between two calls, for so long that all together
make the wanted rate; but none begins a call before its last is answered, so a stall is felt once by each.
"""

import sys
from collections.abc import Callable, Iterator

from .contestant import BenchError
from .generator import CONNECTIONS, Counted, Load, send
from .measures import MEASURES, RESOURCE, Bench
from .ours import deployed
from .report import Eased

CALLS = ("client", "refresh", "introspection")  # none of which uses material up
SHARE = 0.7
TOLERATED = 0.05  # that the share may be off
TRIES = 6


def eased(rounds: int, seconds: int) -> list[Eased]:
    """Measure each call *rounds* times, for *seconds* at the top and as long at `SHARE` of that."""
    with deployed(RESOURCE) as (ours, _, folder):
        bench = Bench.prepare(ours, folder / "ours")
        return list(_all_eased(bench, rounds, seconds))


def _all_eased(bench: Bench, rounds: int, seconds: int) -> Iterator[Eased]:
    for measure in MEASURES:
        if measure.name in CALLS:
            try:
                yield _eased(measure.title, _runs(bench, measure.load, seconds), rounds)
            except BenchError as wrong:  # the others are as good without it
                print(f"the latency of {measure.title} is thrown away: {wrong}", file=sys.stderr)


def _runs(bench: Bench, load: Callable[[Bench, int], Load], seconds: int) -> Callable[[float], Counted]:
    return lambda pause: send(load(bench, 0), bench.contestant.origin, seconds, pause)


def _eased(title: str, run: Callable[[float], Counted], rounds: int) -> Eased:
    run(0.0)  # to warm up
    points = []
    for _ in range(rounds):
        top = run(0.0)
        points.append((top, _at(SHARE * _rate(top), run)))
    return Eased(
        title,
        top=tuple(_rate(top) for top, _ in points),
        rates=tuple(_rate(found) for _, found in points),
        p50=tuple(found.p50 for _, found in points),
        p99=tuple(found.p99 for _, found in points),
    )


def _at(wanted: float, run: Callable[[float], Counted]) -> Counted:
    """A run at the *wanted* rate. Raises `BenchError` if none comes close enough: the machine is too restless."""
    pause = 0.5 * CONNECTIONS / wanted
    for _ in range(TRIES):
        found = run(pause)
        if abs(_rate(found) / wanted - 1) <= TOLERATED:
            return found
        pause = max(0.0, pause + CONNECTIONS / wanted - CONNECTIONS / _rate(found))
    raise BenchError(f"no run came to {wanted:.0f} calls a second")


def _rate(counted: Counted) -> float:
    return counted.calls / counted.seconds
