"""The faults: each breaks one thing when its block begins, and mends it at the end."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from io import FileIO

import psycopg

from .postgres import OWNER
from .stage import Stage, faked_time, moved_clock

CONNECTIONS = f"FROM pg_stat_activity WHERE usename = '{OWNER}'"
LEAP_SECONDS = 2  # until all processes of PostgreSQL have another time, and nothing from before is under way
SPARE_SEGMENTS = 8  # of the write-ahead log, which PostgreSQL keeps to use again


@dataclass(frozen=True)
class Fault:
    """``hold`` is in seconds, before it is mended; ``loses`` tells whether connections with answers under way end.

    ``lacks`` says why it cannot be had on this machine, None if it can. ``is_short`` are those of the test-suite.
    """

    name: str
    what: str
    do: Callable[[Stage], AbstractContextManager[None]]
    hold: float = 3.0
    loses: bool = False
    unfelt: bool = False
    """Whether nobody may notice: no answer but the right one."""
    is_short: bool = False
    lacks: Callable[[Stage], str | None] = lambda stage: None


@contextmanager
def _kill_worker(stage: Stage) -> Iterator[None]:
    stage.nodes[0].kill_one_worker()
    yield


@contextmanager
def _kill_node(stage: Stage) -> Iterator[None]:
    stage.nodes[0].kill()
    yield
    stage.nodes[0].start()


@contextmanager
def _roll(stage: Stage) -> Iterator[None]:
    stage.rolling()
    yield


@contextmanager
def _kill_postgres(stage: Stage) -> Iterator[None]:
    stage.postgres.stop(signal.SIGKILL)
    yield
    stage.postgres.start()


@contextmanager
def _kill_backend(stage: Stage) -> Iterator[None]:
    """One process of a connection, at which PostgreSQL ends all of them and recovers."""
    ((pid, *_), *_) = stage.postgres.execute(f"SELECT pid {CONNECTIONS} LIMIT 1")
    os.kill(int(str(pid)), signal.SIGKILL)
    yield
    stage.postgres.revive()


@contextmanager
def _restart_postgres(stage: Stage) -> Iterator[None]:
    stage.postgres.stop()
    stage.postgres.start()
    yield


@contextmanager
def _read_only(stage: Stage) -> Iterator[None]:
    stage.postgres.set("default_transaction_read_only", "on")
    yield
    stage.postgres.set("default_transaction_read_only", None)


@contextmanager
def _out_of_connections(stage: Stage) -> Iterator[None]:
    stage.postgres.execute(f"ALTER ROLE {OWNER} CONNECTION LIMIT 3", f"SELECT pg_terminate_backend(pid) {CONNECTIONS}")
    yield
    stage.postgres.execute(f"ALTER ROLE {OWNER} CONNECTION LIMIT -1")


@contextmanager
def _slow(stage: Stage) -> Iterator[None]:
    stage.proxies[0].delay = 0.1
    yield
    stage.proxies[0].delay = 0.0


@contextmanager
def _half_open(stage: Stage) -> Iterator[None]:
    stage.proxies[0].fall_silent()
    yield


@contextmanager
def _disk_full(stage: Stage) -> Iterator[None]:
    """Not a byte is left: neither for tables nor, once the spare segments are used up, for the write-ahead log."""
    log, ballast = stage.postgres.log, stage.folder / "disk" / "ballast"
    said = log.stat().st_size
    with ballast.open("wb", buffering=0) as file:
        for _ in range(SPARE_SEGMENTS):
            _fill(file)
            with suppress(psycopg.Error):
                stage.postgres.execute("SELECT pg_switch_wal()")
            time.sleep(0.1)
        yield
    assert b"No space left on device" in log.read_bytes()[said:], "PostgreSQL had room"
    ballast.unlink()
    stage.postgres.revive()


def _fill(file: FileIO) -> None:
    """Take all the room there is."""
    with suppress(OSError):
        while file.write(bytes(1 << 20)):
            continue
    with suppress(OSError):
        while file.write(bytes(1 << 12)):
            continue


def _node_clock(minutes: int) -> Callable[[Stage], AbstractContextManager[None]]:
    @contextmanager
    def jump(stage: Stage) -> Iterator[None]:
        node, clock = stage.nodes[1], stage.folder / "node-clock"
        node.terminate()
        node.start(moved_clock(clock))
        clock.write_text(f"{minutes * 60:+d}")
        yield
        clock.write_text("+0")

    return jump


def _database_clock(minutes: int) -> Callable[[Stage], AbstractContextManager[None]]:
    """A leap by less than ``refresh_retry_window``; two who redeem a code on both sides of it look like a theft."""

    @contextmanager
    def jump(stage: Stage) -> Iterator[None]:
        clock = stage.folder / "database-clock"
        stage.load.races = False
        time.sleep(LEAP_SECONDS)
        clock.write_text(f"{minutes * 60:+d}")
        yield
        clock.write_text("+0")
        time.sleep(LEAP_SECONDS)
        stage.load.races = True

    return jump


@contextmanager
def _fail_over(stage: Stage) -> Iterator[None]:
    """The leader dies with all that it had; its synchronous standby, which has all that was answered, leads."""
    leader = stage.postgres
    standby = leader.copied(stage.folder / "disk" / "standby", stage.proxies[1].target)
    stage.standbys.append(standby)
    standby.start()
    leader.set("synchronous_standby_names", "*")
    while not leader.execute("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"):
        time.sleep(0.05)
    time.sleep(1)  # a moment of load that is answered when both have it
    leader.stop(signal.SIGKILL)
    standby.promote()
    stage.postgres = standby
    yield


def _no_limit(stage: Stage) -> str | None:
    return None if stage.limited else "a file system of its own cannot be mounted here (root on Linux can)"


def _no_clock(stage: Stage) -> str | None:
    return None if faked_time() else "Debian's package faketime is not installed"


FAULTS = (
    Fault("kill-worker", "`kill -9` of a worker", _kill_worker, loses=True),
    Fault("kill-node", "`kill -9` of a node, started again after 3 s", _kill_node, loses=True),
    Fault("sigterm", "SIGTERM to one node after the other, each started again", _roll, hold=0, unfelt=True),
    Fault("postgres-killed", "`kill -9` of PostgreSQL, started again after 3 s", _kill_postgres, is_short=True),
    Fault("backend-killed", "`kill -9` of one PostgreSQL process, at which it recovers", _kill_backend),
    Fault("postgres-restarted", "PostgreSQL restarted", _restart_postgres, hold=0),
    Fault("read-only", "PostgreSQL read-only for 4 s", _read_only, hold=4),
    Fault("no-connections", "PostgreSQL out of connections for 4 s: 3 are left", _out_of_connections, hold=4),
    Fault("slow", "the database 0.1 s late with each message, for 5 s", _slow, hold=5, unfelt=True),
    Fault(
        "half-open", "all connections to the database silent for ever, none closed", _half_open, hold=0, is_short=True
    ),
    Fault("disk-full", "the database's disk full for 5 s", _disk_full, hold=5, lacks=_no_limit),
    Fault("node-clock-ahead", "a node's clock 5 minutes ahead for 5 s", _node_clock(5), hold=5),
    Fault("node-clock-behind", "a node's clock 5 minutes behind for 5 s", _node_clock(-5), hold=5),
    Fault("clock-ahead", "the database's clock 4 minutes ahead for 5 s", _database_clock(4), hold=5, lacks=_no_clock),
    Fault(
        "clock-behind", "the database's clock 4 minutes behind for 5 s", _database_clock(-4), hold=5, lacks=_no_clock
    ),
    Fault(
        "failover",
        "`kill -9` of the leading PostgreSQL, its synchronous standby promoted",
        _fail_over,
        hold=0,
        is_short=True,
    ),
)
