"""wrk, the load generator: one run, and what it counted."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .contestant import BenchError

SCRIPTS = Path(__file__).with_name("load")
CONNECTIONS = 16
RESULT = "RESULT "


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk is to send: a script of ``load/``, its arguments, and on how many threads (16 connections in all)."""

    script: str
    arguments: tuple[str, ...]
    threads: int = 1


@dataclass(frozen=True, slots=True)
class Counted:
    """What one run came to; ``seconds`` is its wall time, ``p50`` and ``p99`` are latencies in microseconds."""

    calls: int
    seconds: float
    p50: int
    p99: int


def send(load: Load, origin: str, seconds: int, pause: float = 0.0) -> Counted:
    """Load *origin* for *seconds*, each connection resting so many seconds before each call, *pause* on the average.

    Raises `BenchError` if any call was refused or broken: such figures say nothing.
    """
    if shutil.which("wrk") is None:
        raise BenchError("wrk is missing: 'make bench' installs it as root; on Debian: sudo apt-get install wrk")
    shape = [f"-t{load.threads}", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s", "--latency"]
    finished = subprocess.run(
        ["wrk", *shape, "-s", load.script, origin, "--", *load.arguments],  # noqa: S607 - found in PATH, as make does
        cwd=SCRIPTS,
        env={**os.environ, "CONNECTIONS": str(CONNECTIONS), "PAUSE": str(1000 * pause)},
        capture_output=True,
        text=True,
        check=False,
    )
    return _counted(finished)


def _counted(finished: subprocess.CompletedProcess[str]) -> Counted:
    lines = [line for line in finished.stdout.splitlines() if line.startswith(RESULT)]
    if finished.returncode or not lines:
        raise BenchError(f"wrk failed: {finished.stdout[-500:]}{finished.stderr[-500:]}")
    found = json.loads(lines[-1].removeprefix(RESULT))
    spoiled = {name: found[name] for name in ("refused", "broken", "timeouts") if found[name]}
    if spoiled:
        raise BenchError(f"of {found['calls']} calls not all were answered well: {spoiled} {finished.stderr[:500]}")
    if not found["calls"]:
        raise BenchError(f"no call was answered in {found['microseconds'] / 1e6:.1f} s {finished.stderr[:500]}")
    return Counted(found["calls"], found["microseconds"] / 1e6, found["p50"], found["p99"])
