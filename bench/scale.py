"""``make bench-scale``: the console over 1,000,000 clients, 2,000,000 grants and 20,000,000 events, beside ten of each.

``python -m bench.scale --scale 0.01`` for a short look; ``--keep FOLDER`` keeps the data there, and finds it again.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import psycopg
from flask import Flask

from authserver.protocol.audit import Event
from authserver.protocol.role import Role
from authserver.services.deployment import Deployment
from authserver.store.grants import Whose
from authserver.store.migrate import upgrade

from . import ours
from .contestant import BenchError
from .crowd import POPULAR, Size, known, load
from .database import Database, database
from .report import _table as table
from .visits import Visited, addresses, owner, visit

RESOURCE, OTHER = "http://localhost:9001/mcp", "http://localhost:9002/mcp"  # nobody calls them
OWNER = "root"
PORT = 9000  # nobody listens there: the pages are opened in this process
BAR_MS = 150


@dataclass(frozen=True, slots=True)
class Line:
    """A page over both databases, of few and of many rows, opened so many times."""

    address: str
    few: tuple[Visited, ...]
    many: tuple[Visited, ...]

    @property
    def milliseconds(self) -> float:
        """The server's time for it over many rows: the median."""
        return median(each.milliseconds for each in self.many)

    @property
    def ratio(self) -> float:
        """How many times what it takes over few."""
        return self.milliseconds / median(each.milliseconds for each in self.few)

    @property
    def queries(self) -> tuple[int, int]:
        """How many it does, apart from what is read anew every few seconds: over few rows, over many."""
        return min(each.queries for each in self.few), min(each.queries for each in self.many)

    @property
    def fits(self) -> bool:
        """Whether it answers, in time, and with no more queries as the data grows."""
        few, many = self.queries
        answers = all(each.status == 200 for each in (*self.few, *self.many))
        return answers and self.milliseconds <= BAR_MS and many <= few


def main() -> int:
    """Fill a database, open every page, print the table; 1 if a page is too slow or asks more as data grows."""
    asked = _arguments()
    try:
        with _folder(asked.keep) as folder, database(folder) as server:
            few, many = _application(folder, server, "few"), _application(folder, server, "many")
            for app, size in ((few, Size.scaled(0)), (many, Size.scaled(asked.scale))):
                _fill(app, size)
            lines = _lines(few, many, asked.rounds)
            ended = _revoke(many.extensions["authserver"], asked.revoke)
    except BenchError as wrong:
        print(wrong, file=sys.stderr)
        return 1
    head = ("page", "ms", "/ that of ten rows", "queries", "of ten rows", "")
    print(table(head, [_cells(line) for line in lines]))
    slow = [line for line in lines if not line.fits]
    print(f"\n{len(lines)} pages, of which {len(slow)} are above {BAR_MS} ms or ask more; median of {asked.rounds}")
    if asked.revoke:
        print(ended)
    return 1 if slow else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description="The console over a lot of data.")
    parser.add_argument("--scale", type=float, default=1.0, help="of 1,000,000 clients and all that goes with them")
    parser.add_argument("--rounds", type=int, default=5, help="of opening every page")
    parser.add_argument("--revoke", type=int, default=0, metavar="N", help="grants of one client to revoke after that")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where the data stays; a short path")
    return parser.parse_args()


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
    else:
        with TemporaryDirectory(prefix="scale-", ignore_cleanup_errors=True) as name:
            yield Path(name)


def _application(folder: Path, server: Database, name: str) -> Flask:
    """The server over the database of that *name*, which is set up if it is not there."""
    home = folder / name
    there = home.exists()
    if not there:
        home.mkdir()
        with psycopg.connect(f"host={folder / 'data'} user=postgres dbname=postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
    url = server.url.replace("/postgres?", f"/{name}?")
    environment = {**ours.environment_of(home, Database(server.pid, url), PORT), "AUTHSERVER_LOG_LEVEL": "ERROR"}
    if there:
        upgrade(url)
    else:
        ours.set_up(environment, RESOURCE)
    app = ours.application(environment)
    if not there:
        deployment: Deployment = app.extensions["authserver"]
        deployment.stores.users.add(OWNER, "Root", "no password", Role.OWNER, Event("user.added", "system"))
    return app


def _fill(app: Flask, size: Size) -> None:
    """Fill its database unless that was done."""
    reached: Deployment = app.extensions["authserver"]
    if reached.stores.clients.find_fresh(POPULAR) is not None:
        return
    seconds = load(reached.stores.database, size, RESOURCE, OTHER)
    print(f"filled in {seconds:.0f} s: {size}", file=sys.stderr, flush=True)


def _lines(few: Flask, many: Flask, rounds: int) -> list[Line]:
    """Each page, opened in turn over both databases; the first time of each does not count."""
    apps = (few, many)
    found = []
    for pair in zip(*(addresses(app, known(app, RESOURCE)) for app in apps), strict=True):
        browsers = {app: owner(app, OWNER) for app in apps}  # signed in anew: some pages want that
        seen: dict[Flask, list[Visited]] = {few: [], many: []}
        for _ in range(rounds + 1):
            for (app, browser), address in zip(browsers.items(), pair, strict=True):
                seen[app].append(visit(app, browser, address))
        found.append(Line(pair[1], *(tuple(each[1:]) for each in seen.values())))
    return found


def _revoke(deployment: Deployment, number: int) -> str:
    """Revoke so many grants of the client that has most, as the console does, and say how long that took."""
    event = Event("grants.revoked", "system")
    took: list[tuple[int, float]] = []
    while sum(ended for ended, _ in took) < number:
        began = time.monotonic()
        ended = deployment.stores.grants.revoke_all(Whose(client_id=POPULAR), event)
        took.append((ended, time.monotonic() - began))
        if not ended:
            break
    seconds = [each for _, each in took] or [0.0]
    said = f"{sum(ended for ended, _ in took)} grants of one client were revoked in {sum(seconds):.0f} s"
    return f"{said}; a batch took {median(seconds):.2f} s, the longest {max(seconds):.2f} s"


def _cells(line: Line) -> tuple[str, ...]:
    few, many = line.queries
    odd = {each.status for each in (*line.few, *line.many)} - {200}
    mark = f"! {odd or ''}"
    return (
        line.address[:90],
        f"{line.milliseconds:.1f}",
        f"{line.ratio:.1f}",
        str(many),
        str(few),
        mark * (not line.fits),
    )


if __name__ == "__main__":
    sys.exit(main())
