"""Our server beside its peers, each pair of them with databases of the same kind."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from .better_auth import better_auth
from .contestant import BenchError
from .database import database, sqlite
from .django_toolkit import django_toolkit
from .measures import MEASURES, RESOURCE, Bench, Measure
from .oidc_provider import oidc_provider
from .ours import authserver
from .pairs import pairs
from .report import Row

# Calls that the floor answers by itself.
ON_THE_FLOOR = ("registration", "client", "flow", "code", "refresh", "introspection")


def beside_oidc_provider(measures: Sequence[Measure], count: int, seconds: int) -> list[Row]:
    """Ours on PostgreSQL beside oidc-provider, which keeps everything in memory."""
    with (
        _folders() as (folder, home),
        database(folder) as postgresql,
        authserver(home, postgresql, RESOURCE) as ours,
        oidc_provider(folder, RESOURCE) as peer,
    ):
        benches = Bench.prepare(ours, folder / "ours"), Bench.prepare(peer, folder / "peer")
        return _rows(measures, benches, count, seconds)


def beside_toolkit(count: int, seconds: int) -> list[Row]:
    """Ours beside django-oauth-toolkit, each on a PostgreSQL of its own."""
    with _folders() as (folder, home):
        theirs = folder / "theirs"
        theirs.mkdir()
        with (
            database(folder) as postgresql,
            database(theirs) as other,
            authserver(home, postgresql, RESOURCE) as ours,
            django_toolkit(folder, other, RESOURCE) as peer,
        ):
            benches = Bench.prepare(ours, folder / "ours"), Bench.prepare(peer, folder / "peer")
            return _rows(_named("refresh", "introspection"), benches, count, seconds)


def beside_better_auth(count: int, seconds: int) -> list[Row]:
    """Ours on SQLite beside better-auth on SQLite."""
    with (
        _folders() as (folder, home),
        authserver(home, sqlite(home), RESOURCE) as ours,
        better_auth(folder, RESOURCE) as peer,
    ):
        # It lets no client but a native one be redirected to the loopback address.
        theirs = Bench.prepare(peer, folder / "peer", application_type="native")
        return _rows(_named("refresh"), (Bench.prepare(ours, folder / "ours"), theirs), count, seconds)


def beside_floor(count: int, seconds: int) -> list[Row]:
    """Ours beside the least that it can come to (`floor`)."""
    with and_floor() as benches:
        return _rows(_named(*ON_THE_FLOOR), benches, count, seconds)


@contextmanager
def and_floor() -> Iterator[tuple[Bench, Bench]]:
    """Run ours and the floor, each on a PostgreSQL of its own."""
    with _folders() as (folder, home):
        theirs = folder / "theirs"
        other_home = theirs / "home"
        other_home.mkdir(parents=True)
        with (
            database(folder) as postgresql,
            database(theirs) as other,
            authserver(home, postgresql, RESOURCE) as ours,
            authserver(other_home, other, RESOURCE, module="bench.floor") as floor,
        ):
            yield Bench.prepare(ours, folder / "ours"), Bench.prepare(floor, folder / "floor")


def _named(*names: str) -> list[Measure]:
    return [measure for measure in MEASURES if measure.name in names]


def _rows(measures: Sequence[Measure], benches: tuple[Bench, Bench], count: int, seconds: int) -> list[Row]:
    ours, peer = benches
    found = []
    for measure in measures:
        print(f"{measure.title}, beside {peer.contestant.name} …", file=sys.stderr, flush=True)
        try:
            measured = tuple(pairs(measure, ours, peer, count=count, seconds=seconds))
        except BenchError as wrong:  # the others are as good without it
            print(f"{measure.title} is thrown away: {wrong}", file=sys.stderr)
            continue
        found.append(Row(measure.name, measure.title, measured))
    return found


@contextmanager
def _folders() -> Iterator[tuple[Path, Path]]:
    # In the system's own place for temporary files: the path of a Unix socket has about 100 bytes.
    with TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        home = folder / "home"
        home.mkdir()
        yield folder, home
