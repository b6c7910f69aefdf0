"""Each worker has a core that the fewest others have, also after one of them has died."""

import os
import secrets
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

if not hasattr(os, "sched_setaffinity"):
    pytest.skip("this system pins no process to a core", allow_module_level=True)

WORKER = """
import os, sys
from authserver.cli.cores import pin
held = pin(sys.argv[1])
print(*os.sched_getaffinity(0), flush=True)
sys.stdin.read()
"""
Begin = Callable[[], tuple[subprocess.Popen[str], set[int]]]


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Starts a process that takes a core; it and those on which it may run."""
    command = [sys.executable, "-c", WORKER, secrets.token_hex(8)]
    with ExitStack() as running:

        def start() -> tuple[subprocess.Popen[str], set[int]]:
            piped = subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            process = running.enter_context(piped)
            running.callback(process.kill)
            assert process.stdout
            return process, set(map(int, process.stdout.readline().split()))

        yield start


def test_cores_are_shared_out_evenly_and_the_next_one_takes_that_of_a_dead_one(begin: Begin) -> None:
    cores = sorted(os.sched_getaffinity(0))
    workers = [begin() for _ in range(2 * len(cores))]
    assert all(len(found) == 1 for _, found in workers)
    assert Counter(core for _, (core,) in workers) == dict.fromkeys(cores, 2)
    for dead, had in (workers[0], workers[-1]):
        dead.kill()
        dead.wait()
        assert begin()[1] == had
