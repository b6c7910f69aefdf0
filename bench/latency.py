"""How long calls take when the server has room to spare: at 70 % of the rate that it reaches at most.

At the top rate a call waits for those before it, and its latency tells how many there were. Operators keep a reserve,
so what counts is how late the latest are then. Callers rest at random between two calls, for so long that all together
make the wanted rate; but none begins a call before its last is answered, so a stall is felt once by each.
"""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from .contestant import BenchError
from .database import database
from .generator import CONNECTIONS, Counted, Load, send
from .measures import MEASURES, RESOURCE, Bench
from .ours import authserver
from .report import Eased

CALLS = ("client", "refresh", "introspection")
SHARE = 0.7
TOLERATED = 0.05  # that the share may be off
TRIES = 6
SETTLED = 20_000  # calls of material, for measures that use some up


def eased(rounds: int, seconds: int) -> list[Eased]:
    """Measure each call *rounds* times, for *seconds* at the top and as long at `SHARE` of that."""
    with TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL is another user's
        home = folder / "home"
        home.mkdir()
        with database(folder) as postgresql, authserver(home, postgresql, RESOURCE) as ours:
            bench = Bench.prepare(ours, folder / "ours")
            return [_eased(measure.title, _runs(bench, measure.load, seconds), rounds)
                    for measure in MEASURES if measure.name in CALLS]  # fmt: skip


def _runs(bench: Bench, load: Callable[[Bench, int], Load], seconds: int) -> Callable[[float], Counted]:
    return lambda pause: send(load(bench, SETTLED), bench.contestant.origin, seconds, pause)


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
