"""Connections are taken by workers evenly, beyond those for which each has a thread."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest

from authserver.cli.evenly import AWAY_SECONDS, PAUSES_SECONDS, Evenly
from authserver.cli.serve import child_exit
from tests.database import Databases
from tests.journeys.ports import free_port

from .test_worker import node, site_home, until_connected
from .wire import answered, calling

__all__ = ["site_home"]
THREADS = 8  # of each worker
SEVERAL = THREADS + 4


class Served:
    """A server of two workers, and connections to it."""

    def __init__(self, port: int, arbiter: int, stack: ExitStack) -> None:
        self._port = port
        self._arbiter = arbiter
        self._stack = stack

    def workers(self) -> list[int]:
        return [int(pid) for pid in Path(f"/proc/{self._arbiter}/task/{self._arbiter}/children").read_text().split()]

    def connect(self, count: int) -> None:
        """Open so many connections one after the other, on each of which a call is answered."""
        for _ in range(count):
            one = self._stack.enter_context(socket.socket())
            one.settimeout(30)
            until_connected(one, ("127.0.0.1", self._port))
            one.sendall(calling())
            assert answered(one)[0].startswith(b"HTTP/1.1 401 ")

    def connections(self, worker: int) -> int:
        """How many connections that worker has."""
        lines = [line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]]
        ours = {each[9] for each in lines if each[1].endswith(f":{self._port:04X}") and each[3] == "01"}
        held = [str(each.readlink()) for each in Path(f"/proc/{worker}/fd").iterdir() if each.is_symlink()]
        return len(ours.intersection(name.removeprefix("socket:[").rstrip("]") for name in held))


@pytest.fixture
def served(site_home: Path, databases: Databases) -> Iterator[Served]:
    port = free_port()
    with ExitStack() as stack:
        arbiter = stack.enter_context(node(site_home, databases, f"127.0.0.1:{port}", workers=2))
        found = Served(port, arbiter.pid, stack)
        found.connect(1)
        while len(found.workers()) < 2:
            time.sleep(0.1)
        time.sleep(2)  # both have looked at the port, and said so
        yield found


def test_who_has_one_for_each_thread_leaves_new_connections_to_who_has_fewer(served: Served):
    one, other = served.workers()
    os.kill(other, signal.SIGSTOP)
    try:
        served.connect(SEVERAL)
        assert served.connections(one) >= SEVERAL
    finally:
        os.kill(other, signal.SIGCONT)
    before = served.connections(other)
    time.sleep(2)
    served.connect(SEVERAL)
    assert served.connections(other) - before >= SEVERAL - 2


def test_who_has_ended_without_a_word_is_waited_for_no_more():
    """Gunicorn's master tells the others, as soon as it has seen the end of a worker that was killed."""
    ended, other = SimpleNamespace(age=101, pid=0, cfg=SimpleNamespace(threads=1)), Evenly(102, 1)
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()):
        Evenly(ended.age, 1).tell(0)
        assert min(waits(other, listener) for _ in range(20)) >= PAUSES_SECONDS
        child_exit(None, ended)
        assert min(waits(other, listener) for _ in range(20)) < PAUSES_SECONDS


def waits(worker: Evenly, listener: socket.socket) -> float:
    """How long a worker with more connections than threads leaves what waits there to others, who do not take it."""
    began = time.monotonic()
    assert not worker.leaves(listener, 2)
    return time.monotonic() - began


def test_who_says_nothing_any_more_is_left_nothing(served: Served):
    one, other = served.workers()
    served.connect(SEVERAL * 2)
    os.kill(other, signal.SIGSTOP)
    try:
        time.sleep(AWAY_SECONDS + 1)
        before, began = served.connections(one), time.monotonic()
        served.connect(SEVERAL)
        assert served.connections(one) - before == SEVERAL
        assert time.monotonic() - began < 5
    finally:
        os.kill(other, signal.SIGCONT)
