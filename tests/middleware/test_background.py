"""The guard's thread, and processes that fork."""

import subprocess
import sys
from pathlib import Path

import pytest

MIDDLEWARE = Path(__file__).resolve().parents[2] / "middleware"
PROGRAM = """
import asyncio, os, threading, time
from mcp_token_guard.background import drive
from mcp_token_guard.freshness import Cycle, KeptFresh

parent, begun = os.getpid(), threading.Event()

async def fetch(previous):
    if os.getpid() == parent:
        begun.set()
        await asyncio.sleep(60)
    return "value"

kept = KeptFresh(fetch, Cycle(10.0, 300.0))
threading.Thread(target=lambda: drive(kept.current()), daemon=True).start()
assert begun.wait(10)
child = os.fork()
if child == 0:
    print(drive(kept.current()), flush=True)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
os._exit(0)
"""


@pytest.mark.requirement("RS-7")
def test_a_process_that_forks_while_its_parent_fetches_fetches_for_itself() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=MIDDLEWARE,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "value\n", "")
