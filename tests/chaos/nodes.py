"""A node: ``authserver serve`` in a process group of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tests.ready import is_ready

from .postgres import children

AUTHSERVER = str(Path(sys.executable).with_name("authserver"))
START_SECONDS = 240
STOP_SECONDS = 40
SAID_SECONDS = 60


class Node:
    """One node at *port*; it writes its log to *log*."""

    def __init__(self, port: int, environment: Mapping[str, str], log: Path) -> None:
        self.port = port
        self.environment = {**environment, "AUTHSERVER_BIND": f"127.0.0.1:{port}"}
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, more: Mapping[str, str] | None = None) -> None:
        """Start it with *more* in its environment, and wait until it is ready."""
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [AUTHSERVER, "serve"],
                env={**self.environment, **(more or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the node did not start:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.05)

    def terminate(self) -> int:
        """SIGTERM: it finishes what it has begun. Returns its exit status."""
        os.kill(self.pid, signal.SIGTERM)
        return self.ended()

    def ended(self) -> int:
        """Its exit status, once it has ended by itself."""
        assert self._process
        return self._process.wait(STOP_SECONDS)

    @property
    def pid(self) -> int:
        """The process that looks after its workers."""
        assert self._process
        return self._process.pid

    def kill(self) -> None:
        """SIGKILL to it and its workers."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(STOP_SECONDS)

    def kill_one_worker(self) -> None:
        """SIGKILL to one of its workers; it starts another by itself."""
        os.kill(children(self.pid)[0], signal.SIGKILL)

    def until_said(self, words: bytes, times: int, since: int) -> None:
        """Wait until its log has *words* so many *times* after the first *since* bytes."""
        deadline = time.monotonic() + SAID_SECONDS
        while self.log.read_bytes()[since:].count(words) < times:
            assert time.monotonic() < deadline, f"the node did not say {words!r}"
            time.sleep(0.05)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``authserver`` beside it, as an administrator would."""
        return subprocess.run(
            [AUTHSERVER, *arguments], env=self.environment, capture_output=True, text=True, timeout=600, check=False
        )

    def _ready(self) -> bool:
        return is_ready(f"http://127.0.0.1:{self.port}")
