"""The demo's two servers as child processes: started together, ended together."""

import http.client
import os
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .place import DemoError

START_SECONDS = 120
STOP_SECONDS = 15
POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Child:
    """A running server: its ``log``, and the ``port`` and ``path`` that answer 200 once it is ready."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    port: int
    path: str

    @classmethod
    def start(
        cls, name: str, command: list[str], environment: Mapping[str, str], log: Path, port: int, path: str
    ) -> "Child":
        """Run *command*; *environment* is added to this process's own, and what it prints goes to *log*."""
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **environment},
            )
        return cls(name, process, log, port, path)

    def await_ready(self) -> None:
        """Wait until the server answers. Raises `DemoError` with the end of its log if it does not."""
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise DemoError(f"{self.name} did not start:\n{self.last_words()}")
            time.sleep(POLL_SECONDS)

    def last_words(self) -> str:
        """The end of the log."""
        return self.log.read_text("utf-8", "replace")[-2000:].rstrip()

    def await_end(self) -> None:
        """Wait until the server, told to terminate, has ended; by force if it takes too long."""
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", self.path)
            return connection.getresponse().status == http.client.OK
        except OSError:
            return False
        finally:
            connection.close()


def await_first_end(children: list[Child], meanwhile: Callable[[], None]) -> Child:
    """Wait until one of *children* has ended, and return it; *meanwhile* is done again and again."""
    while True:
        meanwhile()
        for child in children:
            if child.process.poll() is not None:
                return child
        time.sleep(POLL_SECONDS * 4)
