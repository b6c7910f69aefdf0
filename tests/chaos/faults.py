"""The faults: each breaks one thing when its block begins, and mends it at the end."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from io import FileIO

import psycopg

from tests.redis_server import LACKING, PROGRAM

from .ceilings import counted_apart
from .postgres import OWNER
from .stage import WORKERS, Stage, faked_time, moved_clock

CONNECTIONS = f"FROM pg_stat_activity WHERE usename = '{OWNER}'"
LEAP_SECONDS = 2  # until all processes of PostgreSQL have another time
SPARE_SEGMENTS = 8  # of the write-ahead log, which PostgreSQL keeps to use again
ALONE = b"this process counts by itself"


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
    afterwards: Callable[[Stage], Iterator[str]] = lambda stage: iter(())
    """What is wrong once all is well, in words, beside what is asked after each fault."""


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
    """Two who ask for the same on both sides of the leap look like a theft, and a code is too old: nobody does."""

    @contextmanager
    def jump(stage: Stage) -> Iterator[None]:
        _leap(stage, f"{minutes * 60:+d}")
        yield
        _leap(stage, "+0")

    return jump


def _leap(stage: Stage, to: str) -> None:
    with stage.load.spans.leap():
        (stage.folder / "database-clock").write_text(to)
        time.sleep(LEAP_SECONDS)


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


@contextmanager
def _kill_redis(stage: Stage) -> Iterator[None]:
    """Gone for as long as it takes each worker to notice, at least."""
    assert stage.redis
    said = [node.log.stat().st_size for node in stage.nodes]
    stage.redis.kill()
    yield
    for node, size in zip(stage.nodes, said, strict=True):
        node.until_said(ALONE, WORKERS, size)
    stage.redis.start()


def _no_limit(stage: Stage) -> str | None:
    return None if stage.limited else "a file system of its own cannot be mounted here (root on Linux can)"


def _no_clock(stage: Stage) -> str | None:
    return None if faked_time() else "Debian's package faketime is not installed"


def _no_redis(stage: Stage) -> str | None:
    return None if PROGRAM else LACKING


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
    Fault("clock-ahead", "the database's clock 5 minutes ahead for 5 s", _database_clock(5), hold=5, lacks=_no_clock),
    Fault(
        "clock-behind", "the database's clock 5 minutes behind for 5 s", _database_clock(-5), hold=5, lacks=_no_clock
    ),
    Fault(
        "failover",
        "`kill -9` of the leading PostgreSQL, its synchronous standby promoted",
        _fail_over,
        hold=0,
        is_short=True,
    ),
    Fault(
        "redis-killed",
        "`kill -9` of Redis, started again after 3 s",
        _kill_redis,
        unfelt=True,
        is_short=True,
        lacks=_no_redis,
        afterwards=counted_apart,
    ),
)
