"""``authserver serve`` as systemd and containers run it: what it says, and where its workers run."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from tests.cli.conftest import Run
from tests.journeys.ports import free_port

SERVE = """
import socket, sys
from authserver.cli import main, serve

made = serve.create_app

def create_app(settings):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as said:
        said.connect(sys.argv[1])
        said.send(b"a worker loads")
    return made(settings)

serve.create_app = create_app
main(["serve"])
"""
START_SECONDS = 60
STOP_SECONDS = 60
Serve = Callable[..., tuple[psutil.Process, socket.socket]]


@pytest.fixture
def serve(run: Run, tmp_path: Path) -> Iterator[Serve]:
    """Starts a node of one worker with further settings; it, and the socket at which it says how it does."""
    with ExitStack() as running:

        def start(**settings: str) -> tuple[psutil.Process, socket.socket]:
            said = running.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
            said.settimeout(START_SECONDS)
            said.bind(str(tmp_path / "said"))
            environment = {
                **os.environ,
                "AUTHSERVER_BIND": f"127.0.0.1:{free_port()}",
                "AUTHSERVER_WORKERS": "1",
                "NOTIFY_SOCKET": str(tmp_path / "said"),
                **settings,
            }
            process = subprocess.Popen([sys.executable, "-c", SERVE, str(tmp_path / "said")], env=environment)
            running.callback(process.wait, STOP_SECONDS)
            running.callback(process.terminate)
            return psutil.Process(process.pid), said

        yield start


def test_a_node_says_that_it_is_ready_when_a_worker_is(serve: Serve) -> None:
    _, said = serve()
    heard = [said.recv(1000) for _ in range(2)]
    assert heard == [b"a worker loads", b"READY=1"]


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system pins no process to a core")
@pytest.mark.parametrize(("settings", "pins"), [({}, True), ({"AUTHSERVER_PIN_WORKERS": "false"}, False)])
def test_a_worker_runs_on_one_core_unless_the_settings_leave_that_to_the_system(
    serve: Serve, settings: dict[str, str], pins: bool
) -> None:
    node, said = serve(**settings)
    while b"READY=1" not in said.recv(1000):
        pass
    (worker,) = node.children()
    assert len(worker.cpu_affinity()) == (1 if pins else len(os.sched_getaffinity(0)))
