"""``make bench-growth``: CPU per call over 1,000,000 clients and 10,000,000 grants, beside an empty database.

Two servers over two databases of one PostgreSQL are loaded in turn. ``SCALE=0.1`` is quicker, and takes 2 GB instead
of 20.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

import psycopg
from sqlalchemy import text

from authserver.store.partitions import TrailBusy

from . import measures
from .contestant import BenchError
from .crowd import Size, load
from .database import Database, database
from .generator import Load
from .http import FORM
from .measures import Bench, Measure
from .mixed import basic, machine
from .ours import Ours, authserver
from .pairs import Pair, pairs
from .report import _table as table
from .report import spread

RESOURCE, OTHER = "http://localhost:9001/mcp", "http://localhost:9002/mcp"  # nobody calls them
BAR = 1.15
EVENTS = 100_000  # partitions bound what more of them could cost; these are sealed before the load begins
SEALING_SECONDS = 300
PARTITION_SECONDS = 86_400
# Rows that were read one after the other, by whatever kind of plan; what an index finds is not among them.
SCANNED = "SELECT relname, seq_scan FROM pg_stat_user_tables WHERE n_live_tup > 10000"


def _machine_token(bench: Bench, _calls: int) -> Load:
    ours = bench.contestant
    if not isinstance(ours, Ours):
        raise BenchError("only our own server is measured over much data")
    form = urlencode({"grant_type": "client_credentials", "resource": RESOURCE})
    bodies = bench.write("client_credentials", [form])
    return Load("again.lua", ("/token", FORM, bodies, basic(machine(ours, RESOURCE))))


CALLS = (
    Measure("client-credentials", "client credentials", _machine_token),
    *(each for each in measures.MEASURES if each.name in ("code", "refresh", "introspection")),
)


@dataclass(frozen=True, slots=True)
class Grown:
    """A call, over much data and over none, in pairs."""

    title: str
    pairs: tuple[Pair, ...]

    @property
    def ratio(self) -> float:
        """CPU per call over much data, as a multiple of that over none."""
        return median(pair.cpu for pair in self.pairs)


def main() -> int:
    """Fill a database, measure, print the table; 1 if a call costs more than it may, or a table was read whole."""
    asked = _arguments()
    try:
        grown, scanned, size = _measured(asked)
    except BenchError as wrong:
        print(wrong, file=sys.stderr)
        return 1
    head = ("call", "CPU per call / that over no data", "of it PostgreSQL's alone", "µs", "")
    print(f"{size}\n\n{table(head, [_cells(each) for each in grown])}")
    print(f"\ntables that were read whole: {', '.join(scanned) or 'none'}")
    return 1 if scanned or any(each.ratio > BAR for each in grown) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description="The hot path over a lot of data.")
    parser.add_argument("--scale", type=float, default=1.0, help="of 1,000,000 clients and 10,000,000 grants")
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--seconds", type=int, default=4, help="for each point")
    return parser.parse_args()


def _measured(asked: argparse.Namespace) -> tuple[list[Grown], list[str], Size]:
    people = max(10, int(200_000 * asked.scale))
    clients, grants = (max(100, int(each * asked.scale)) for each in (1_000_000, 10_000_000))
    size = Size(clients=clients, grants=grants, events=EVENTS, people=people, calls=10, attempts=10)
    with TemporaryDirectory(prefix="growth-", ignore_cleanup_errors=True) as name, ExitStack() as stack:
        folder = Path(name)
        server = stack.enter_context(database(folder))
        few, many = (stack.enter_context(_serving(folder, server, each)) for each in ("few", "many"))
        _fill(many, size)
        benches = [Bench.prepare(each, folder / each.name) for each in (many, few)]
        before = _scans(many)
        grown = []
        for measure in CALLS:
            found = pairs(measure, *benches, count=asked.pairs, seconds=asked.seconds)
            grown.append(Grown(measure.title, tuple(found)))
        after = _scans(many)
    return grown, [name for name, scans in after.items() if scans > before.get(name, scans)], size


@contextmanager
def _serving(folder: Path, server: Database, name: str) -> Iterator[Ours]:
    """Our server over a new database of that *name*."""
    home = folder / f"home-{name}"
    home.mkdir()
    with psycopg.connect(f"host={folder / 'data'} user=postgres dbname=postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    url = server.url.replace("/postgres?", f"/{name}?")
    with authserver(home, Database(server.pid, url), RESOURCE) as ours:
        yield Ours(**{**{each: getattr(ours, each) for each in ours.__slots__}, "name": name})


def _fill(ours: Ours, size: Size) -> None:
    """Load it, and wait until its trail is sealed: what goes on beside is to cost as much over both databases.

    Then its trail is divided, as a server does once in the life of a database: the events up to then are read for it.
    """
    seconds = load(ours.stores.database, size, RESOURCE, OTHER)
    _await_seals(ours)
    try:
        ours.stores.seals.make_room(PARTITION_SECONDS)
    except TrailBusy as busy:
        raise BenchError(str(busy)) from busy
    print(f"filled in {seconds:.0f} s", file=sys.stderr, flush=True)


def _await_seals(ours: Ours) -> None:
    deadline = time.monotonic() + SEALING_SECONDS
    while not (head := ours.stores.seals.head()) or ours.stores.trail.first_behind(head.last):
        if time.monotonic() > deadline:
            raise BenchError("the trail was not sealed in time")
        time.sleep(1)


def _scans(ours: Ours) -> dict[str, int]:
    with ours.stores.database.reading() as connection:
        connection.execute(text("SELECT pg_stat_force_next_flush()"))
    with ours.stores.database.reading() as connection:
        return {name: int(scans) for name, scans in connection.execute(text(SCANNED))}


def _cells(grown: Grown) -> tuple[str, ...]:
    whole = spread(pair.cpu for pair in grown.pairs)
    database_alone = spread(pair.ours.parts[-1] / pair.peer.parts[-1] for pair in grown.pairs)
    return (
        grown.title,
        whole,
        database_alone,
        f"{median(pair.ours.cpu for pair in grown.pairs):.0f}",
        "!" * (grown.ratio > BAR),
    )


if __name__ == "__main__":
    sys.exit(main())
