"""``make soak``: an hour of mixed load with short lifetimes, and whether memory, tables, latency and CPU stay flat.

``python -m bench.soak --minutes 15`` for less. What is kept by the calendar (the trail, receipts) grows with every
call, and is told apart.
"""

import argparse
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

from sqlalchemy import text

from . import cpu
from .contestant import BenchError
from .database import database
from .mixed import Mixed
from .ours import Ours, authserver
from .report import _table as table

RESOURCE = "http://localhost:9001/mcp"  # nobody calls it
# So that within minutes as much expires as comes.
SHORT = {
    "AUTHSERVER_ACCESS_TOKEN_LIFETIME": "30",
    "AUTHSERVER_REFRESH_TOKEN_LIFETIME": "90",
    "AUTHSERVER_REFRESH_FAMILY_LIFETIME": "180",
    "AUTHSERVER_EXPIRED_KEPT_FOR": "60",
}
FLAT = ("refresh_tokens", "refresh_families", "authorization_codes", "revoked_access_tokens", "ended_positions")
SIZES = "SELECT sum(pg_total_relation_size(to_regclass(name))) / 1048576.0 FROM unnest(:names ::text[]) AS name"
ALL = "SELECT pg_database_size(current_database()) / 1048576.0"
HOT = (
    "SELECT round(100.0 * sum(n_tup_hot_upd) / nullif(sum(n_tup_upd), 0)) FROM pg_stat_user_tables"
    " WHERE relname = ANY(:names ::text[])"
)


@dataclass(frozen=True, slots=True)
class Minute:
    """What one minute was like: memory of the greatest worker and tables in MB, times in milliseconds."""

    calls: int
    memory: float
    tables: float
    all: float
    p50: float
    p99: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Flat:
    """Something that is to stay flat, and by how much of it the trend may rise from the first minute to the last."""

    name: str
    of: Callable[[Minute], float]
    tolerance: float


JUDGED = (
    Flat("memory of a worker, MB", lambda minute: minute.memory, 0.03),
    Flat("tables of what expires, MB", lambda minute: minute.tables, 0.15),
    Flat("p50, ms", lambda minute: minute.p50, 0.25),
    Flat("CPU per call, ms", lambda minute: minute.cpu, 0.15),
)


def main() -> int:
    """Load, sample each minute, print; 1 if something is not flat or a call failed."""
    asked = _arguments()
    try:
        minutes = list(_minutes(asked))
    except BenchError as wrong:
        print(wrong, file=sys.stderr)
        return 1
    judged = minutes[asked.warm_up :]
    rows = [_judged(flat, judged) for flat in JUDGED]
    print(table(("", "median", "trend over the run", "allowed", ""), rows))
    calls, grown = sum(minute.calls for minute in judged), judged[-1].all - judged[0].all
    print(f"\n{calls} calls; what is kept by the calendar grew by {grown * 1048576 / max(1, calls):.0f} bytes per call")
    return 1 if any(row[-1] for row in rows) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description="An hour of mixed load.")
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--warm-up", type=int, default=8, help="minutes at the beginning that are not judged")
    parser.add_argument("--rate", type=float, default=60.0, help="calls per second")
    asked = parser.parse_args()
    if asked.minutes < asked.warm_up + 3:
        parser.error("there must be three minutes at least behind the warm-up")
    return asked


def _minutes(asked: argparse.Namespace) -> Iterator[Minute]:
    with TemporaryDirectory(prefix="soak-", ignore_cleanup_errors=True) as name:
        home = Path(name, "home")
        home.mkdir()
        with database(Path(name)) as server, authserver(home, server, RESOURCE, more=SHORT) as ours:
            mixed = Mixed(ours, RESOURCE, asked.rate)
            mixed.prepare()
            with _sending(mixed):
                print(table(("minute", "calls", "PSS", "tables", "all", "p50", "p99", "CPU", "HOT %"), []), flush=True)
                for number in range(asked.minutes):
                    minute = _minute(ours, mixed)
                    print(f"| {number + 1} | {_line(minute)} | {_asked(ours, HOT) or 0:.0f} |", flush=True)
                    yield minute


@contextmanager
def _sending(mixed: Mixed) -> Iterator[None]:
    stop = threading.Event()
    threads = mixed.start(stop)
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _minute(ours: Ours, mixed: Mixed) -> Minute:
    began = sum(map(cpu.seconds, ours.roots))
    time.sleep(60)
    taken = [1000 * seconds for _, seconds in mixed.taken()]
    if not taken:
        raise BenchError("nothing was answered for a minute")
    return Minute(
        calls=len(taken),
        memory=cpu.greatest_memory(ours.roots[0]) / 1024**2,
        tables=_asked(ours, SIZES),
        all=_asked(ours, ALL),
        p50=median(taken),
        p99=quantiles(taken, n=100)[98],
        cpu=1000 * (sum(map(cpu.seconds, ours.roots)) - began) / len(taken),
    )


def _asked(ours: Ours, statement: str) -> float:
    with ours.stores.database.reading() as connection:
        return float(connection.scalar(text(statement), {"names": list(FLAT)}) or 0)


def _line(minute: Minute) -> str:
    told = (minute.memory, minute.tables, minute.all, minute.p50, minute.p99, minute.cpu)
    return " | ".join((str(minute.calls), *(f"{each:.2f}" for each in told)))


def _judged(flat: Flat, minutes: Sequence[Minute]) -> tuple[str, ...]:
    values = [flat.of(minute) for minute in minutes]
    rise = _slope(values) * (len(values) - 1) / median(values)
    mark = "!" if rise > flat.tolerance else ""
    return flat.name, f"{median(values):.2f}", f"{rise:+.1%}", f"{flat.tolerance:+.0%}", mark


def _slope(values: Sequence[float]) -> float:
    """The median of the slopes between all pairs of points (Theil and Sen): one bad minute does not bend it."""
    pairs = [(one, other) for one in range(len(values)) for other in range(one + 1, len(values))]
    return median((values[other] - values[one]) / (other - one) for one, other in pairs)


if __name__ == "__main__":
    sys.exit(main())
